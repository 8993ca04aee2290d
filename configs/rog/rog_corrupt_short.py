# Corruptions as augmentation, for any task, under the short schedule: noise, blur, contrast and artefacts up to
# severity 3. Those that a scanner of the task does not make are not drawn. Test on the ones that are not listed.
_base_ = "./rog_standard_short.py"
train_data = dict(
    dataset=dict(
        transforms=[
            dict(type="RandomAffine", patch_size="task.patch_size", spacing="task.spacing"),
            dict(type="CentreCrop", patch_size="task.patch_size"),
            dict(type="RandomMirror"),
            dict(
                type="RandomCorruption",
                corruptions=["RicianNoise", "GaussianNoise", "BiasField", "Blur", "GibbsRinging", "WindowShift"],
            ),
            dict(type="ClipToBox"),
        ],
    ),
)
