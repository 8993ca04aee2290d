"""Every name in a bundle's files that is accepted; none is imported or looked up by what a file says.

MONAI finds a ``_target_`` by importing what it names, and evaluates what begins with ``$``: a stranger's bundle can run
anything. Here a string is compared with these lists, whole and exactly.
"""

__all__ = ["NETWORKS", "WITHOUT_META", "plain_name", "transform_name"]

_NETWORKS = (
    "AttentionUnet", "BasicUNet", "BasicUNetPlusPlus", "DynUNet", "HighResNet", "SegResNet", "SegResNetDS", "SwinUNETR",
    "UNETR", "UNet", "VNet",
)  # fmt: skip
_MODULES = {
    "AttentionUnet": "attentionunet", "BasicUNet": "basic_unet", "BasicUNetPlusPlus": "basic_unetplusplus",
    "DynUNet": "dynunet", "HighResNet": "highresnet", "SegResNet": "segresnet", "SegResNetDS": "segresnet_ds",
    "SwinUNETR": "swin_unetr", "UNETR": "unetr", "UNet": "unet", "VNet": "vnet",
}  # fmt: skip
_PACKAGE = "monai.networks.nets"

NETWORKS: dict[str, str] = {
    written: name
    for name in _NETWORKS
    for written in (name, f"{_PACKAGE}.{name}", f"{_PACKAGE}.{_MODULES[name]}.{name}")
}
"""What a bundle may call a network, and the class of ``monai.networks.nets`` that it is."""

WITHOUT_META = frozenset({"SwinUNETR"})
"""Networks that cannot be made without memory, since they look at numbers of their own while they are made."""

_LIBRARIES = ("monai.transforms.", "monai.inferers.")
_DICTIONARY_ENDINGS = ("Dict", "D", "d")


def plain_name(target: object) -> str:
    """A transform's or an inferer's name without MONAI's package; nothing is looked up."""
    name = str(target)
    for library in _LIBRARIES:
        name = name.removeprefix(library)
    return name


def transform_name(target: object) -> str:
    """The same without the ending of transforms over dictionaries: ``ScaleIntensityRanged`` is ScaleIntensityRange."""
    name = plain_name(target)
    for ending in _DICTIONARY_ENDINGS:
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending)
    return name
