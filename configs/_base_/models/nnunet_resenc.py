# nnU-Net's U-Net with a residual encoder, by its rules for the patch and spacing of the task. Needs rogseg[nnunet].
_base_ = "./nnunet_plain.py"
model = dict(backbone=dict(type="ResidualEncoderUNet"))
