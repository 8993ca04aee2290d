"""Packaging of rogseg: the library, its command, the configs and the model zoo."""

from setuptools import find_packages, setup

# Folders beside the package that are part of an installed one; in a clone they are found where they lie.
FOLDERS = {"configs": ["**/*.py", "**/*.json"], "model_zoo": ["index.json", "*.safetensors", "*.lineage.json"]}

setup(
    name="rogseg",
    version="0.1.0",
    description="Train, attack and defend volumetric medical segmentation networks",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["rogseg", "rogseg.*"]), *(f"rogseg.{name}" for name in FOLDERS)],
    package_dir={f"rogseg.{name}": name for name in FOLDERS},
    package_data={
        "rogseg": ["py.typed", "**/*.json", "**/*.html.j2", "**/*.css", "**/*.js"],
        **{f"rogseg.{name}": files for name, files in FOLDERS.items()},
    },
    entry_points={"console_scripts": ["rogseg = rogseg.commands:main"]},
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
        "connected-components-3d>=3.12",
        "blosc2>=3.0",
        "safetensors>=0.4",
        "matplotlib>=3.8",
        "jinja2>=3.1",
        # NSD and HD95, which every test measures, call it.
        "monai>=1.4",
    ],
    extras_require={
        "tensorboard": ["tensorboard>=2.14"],
        # Its readers, preprocessing and export are called; other versions give other numbers.
        "nnunet": ["nnunetv2>=2.8,<3", "dynamic_network_architectures>=0.4,<0.5"],
        # What the bundles of MONAI need besides MONAI: the networks of some, and configs in YAML.
        "monai": ["monai>=1.4", "einops>=0.8", "PyYAML>=6"],
        "onnx": ["onnx>=1.16", "onnxruntime>=1.18"],
        "itk": ["SimpleITK>=2.3"],
        "ray": ["ray>=2.30"],
        "docs": ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.25"],
    },
)
