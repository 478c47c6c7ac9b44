"""Settings and model brought together: what the files of a deployment are written from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from serving.deploy.settings import Settings
from serving.deploy.versions import Served, choose_max_batch, find_served, list_batch_sizes

USER = 1000
"""Who the server runs as; the image of TensorFlow Serving names nobody but root."""
CONFIG_FOLDER = "/etc/tensorflow-serving"
MODELS_FOLDER = "/models"


@dataclass(frozen=True)
class Deployment:
    """A model and how it is served.

    Args:
        settings: As they were given.
        served: Versions and their labels.
        max_batch: Products in a batch.
    """

    settings: Settings
    served: Served
    max_batch: int

    @classmethod
    def plan(cls, model: Path, settings: Settings) -> Deployment:
        """Finds the versions of a model and checks that the settings fit it."""
        served = find_served(model, settings.model)
        return cls(settings, served, choose_max_batch(settings.batching, served))

    @property
    def name(self) -> str:
        """Of the model, of containers and of objects."""
        return self.settings.model.name

    @property
    def on_gpu(self) -> bool:
        """Whether the manifests ask for a GPU."""
        return self.settings.image.device == "gpu"

    @property
    def cores(self) -> int:
        """Cores of one replica."""
        return int(self.settings.resources.cpu)

    @cached_property
    def batch_sizes(self) -> list[int]:
        """Sizes that batches are filled up to."""
        return list_batch_sizes(self.max_batch)

    @property
    def status_path(self) -> str:
        """REST path that answers 200 as soon as the stable version is loaded."""
        return f"/v1/models/{self.name}/labels/stable"

    def image(self, *, gpu: bool) -> str:
        """Returns the name of the image that is built."""
        repository = self.settings.image.repository or self.name
        return f"{repository}:{self.served.name}{'-gpu' if gpu else ''}"

    def base_tag(self, *, gpu: bool) -> str:
        """Returns the tag of tensorflow/serving that the image is built from."""
        image = self.settings.image
        return image.serving_gpu_tag if gpu else image.serving_tag
