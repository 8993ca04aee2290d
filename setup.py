"""Packaging of rogseg: the library; configs and tools are used from a clone."""

from setuptools import find_packages, setup

setup(
    name="rogseg",
    version="0.1.0",
    description="Train, attack and defend volumetric medical segmentation networks",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["rogseg", "rogseg.*"]),
    package_data={"rogseg": ["py.typed", "**/*.json", "report/templates/*"]},
    install_requires=[
        "torch>=2.4",
        "mmengine>=0.10.7,<0.11",
        "mmcv-lite>=2.1,<3",
        "setuptools<81",
        "einops>=0.8",
        "nibabel>=5.2",
        "rich>=13",
        "numpy>=1.26",
        "scipy>=1.11",
        "monai>=1.4",
        "connected-components-3d>=3.12",
        "blosc2>=3.0",
        "safetensors>=0.4",
        "matplotlib>=3.8",
        "jinja2>=3.1",
    ],
    extras_require={"tensorboard": ["tensorboard>=2.14"]},
)
