"""Installs taxofuse: `pip install .`, or `make install` for the pinned set."""

import sys

from setuptools import find_packages, setup

if sys.version_info < (3, 11):  # noqa: UP036  pip says it less clearly
    sys.exit(
        "taxofuse needs Python 3.11 or newer. "
        f"Received: {sys.version.split()[0]}. Choose one with `make install PYTHON=python3.11`."
    )

COMMANDS = {
    "demo-data": "trainer.commands.demo_data",
    "run": "components.commands.run",
    "train": "trainer.commands.train",
    "clean": "trainer.commands.clean",
    "select": "trainer.commands.select",
    "tune": "trainer.commands.tune",
    "evaluate": "trainer.commands.evaluate",
    "robustness": "trainer.commands.robustness",
    "predict": "trainer.commands.predict",
    "explain": "trainer.commands.explain",
    "export": "trainer.commands.export",
    "serve": "serving.commands.serve",
    "deploy": "serving.commands.deploy",
    "load": "serving.commands.load",
    "pipeline": "components.commands.pipeline",
}

setup(
    name="taxofuse",
    version="0.1.0",
    description="Multimodal product classification on TensorFlow and Keras",
    python_requires=">=3.11",
    packages=find_packages(include=["trainer*", "components*", "serving*"]),
    package_data={
        "trainer.report": ["templates/*"],
        "components.statistics_gen": ["templates/*"],
        "components.example_validator": ["templates/*"],
        "serving.page": ["static/*"],
    },
    install_requires=[
        "ai-edge-litert>=2.1",
        "aiohttp>=3.12",
        "cleanlab>=2.7",
        "flatbuffers>=25",
        "grpcio>=1.70",
        "grpcio-health-checking>=1.70",
        "h5py>=3.10",
        "jinja2>=3.1",
        "keras>=3.12,<3.16",
        "keras-hub>=0.26,<0.33",
        "keras-tuner>=1.4.8",
        "matplotlib>=3.9",
        "numpy>=2.0",
        "opencc-python-reimplemented>=0.1.7",
        "orjson>=3.10",
        "pandas>=2.2,<4",
        "pillow>=11",
        "prometheus_client>=0.21",
        "psutil>=6",
        "pyarrow>=18",
        "pypinyin>=0.53",
        "pyyaml>=6",
        "safetensors>=0.5",
        "scikit-learn>=1.5.2",
        "scipy>=1.14",
        "tensorboard>=2.19",
        "tensorflow>=2.21,<2.22",
        "tensorflow-metadata>=1.17",
        "tensorflow-serving-api>=2.19,<2.22",
        "tensorflow-text>=2.21,<2.22",
        "tqdm>=4.66",
        "urllib3>=2.2",
        "uvloop>=0.21; sys_platform != 'win32'",
    ],
    extras_require={
        "beam": ["apache-beam>=2.65,<3"],
        "dask": ["apache-beam>=2.65,<3", "dask>=2025.1", "distributed>=2025.1"],
        "tfx": ["tfx>=1.21,<1.22"],
        "tfds": ["tensorflow-datasets>=4.9.9"],
        "notebook": ["ipykernel>=6.29", "nbclient>=0.10", "nbformat>=5.10"],
        "test": [
            "adversarial-robustness-toolbox>=1.20",
            "check-jsonschema>=0.33",
            "dockerfile-parse>=2.0",
            "hypothesis>=6.120",
            "jsonschema>=4.20",
            "kubernetes-validate>=1.33",
            "mypy>=1.15",
            "pytest>=8.3",
            "ruff>=0.11",
            "selenium>=4.25",
            "tinygrad>=0.10",
        ],
    },
    entry_points={
        "console_scripts": ["taxofuse = trainer.cli:main"],
        "taxofuse.commands": [f"{name} = {module}" for name, module in COMMANDS.items()],
        "taxofuse.scorers": ["server = serving.client.scorer:connect"],
    },
)
