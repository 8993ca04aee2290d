# The weights that fuse the views, trained on whole patches while the planar network rests.
_base_ = "./mpunet_standard.py"
model = dict(trained="fusion", losses=[dict(type="DiceLoss")])
optim_wrapper = dict(optimizer=dict(lr=1e-2))
train_cfg = dict(max_epochs=10)
init_from = dict(stage="{{ fileDirname }}/mpunet_standard.py")
