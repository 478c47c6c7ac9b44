"""tensorflow.serving.ModelService."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2

from serving.server.calls import Call, Calls
from serving.server.models import Models
from serving.server.rpc.descriptions import describe_status
from serving.server.rpc.handlers import build_service
from serving.server.rpc.prediction_service import read_choice
from serving.server.settings import ModelSettings, VersionPolicy
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import State

DESCRIPTOR = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]


class ModelService:
    """GetModelStatus and HandleReloadConfigRequest.

    Args:
        models: What is served.
    """

    def __init__(self, models: Models) -> None:
        self._models = models

    def build(self, calls: Calls) -> grpc.GenericRpcHandler:
        """Returns the service for a gRPC server."""
        methods = {
            "GetModelStatus": self.get_model_status,
            "HandleReloadConfigRequest": self.reload,
        }
        messages = {
            "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
            "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
        }
        return build_service(DESCRIPTOR, methods, messages, calls)

    async def get_model_status(self, request: Any, context: Any, call: Call) -> Any:
        """Tells the state of each version."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        spec = request.model_spec
        response = describe_status(self._models, spec.name, *read_choice(spec))
        call.model = spec.name
        return response

    async def reload(self, request: Any, context: Any, call: Call) -> Any:
        """Serves the models of a list and no others; answers when they are loaded."""
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        settings = read_model_configs(request.config.model_config_list)
        self._check_labels(settings)
        await self._models.configure(settings)
        for model in settings:
            for version in self._models.by_name[model.name].versions.values():
                if version.error is not None and version.state == State.END:
                    raise ServingError(Code.UNKNOWN, version.error.message)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response

    def _check_labels(self, settings: list[ModelSettings]) -> None:
        """Refuses to move a label to a version that does not answer yet."""
        for model in settings:
            served = self._models.by_name.get(model.name)
            if served is None:
                continue
            old = dict(served.settings.labels)
            available = {version.number for version in served.available()}
            for label, number in model.labels:
                if label in old and old[label] != number and number not in available:
                    raise ServingError(
                        Code.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {model.name}, "
                        "which is not currently available for inference",
                    )


def read_model_configs(configs: Any) -> list[ModelSettings]:
    """Reads a ModelConfigList.

    Raises:
        ServingError: if a model is listed twice, lacks what it needs, or has a
            path that is relative.
    """
    names: set[str] = set()
    settings = []
    for config in configs.config:
        if not config.name:
            raise invalid("A model of the list has no name.")
        if config.name in names:
            raise invalid(f"Illegal to list model {config.name} multiple times in config list")
        names.add(config.name)
        if config.model_platform != "tensorflow" and config.model_type != 1:
            raise invalid(
                f"Illegal model_platform {config.model_platform!r}, model name is {config.name}: "
                "expected 'tensorflow'."
            )
        if not Path(config.base_path).is_absolute():
            raise invalid(
                f"Expected model {config.name} to have an absolute path or URI; "
                f"got base_path()={config.base_path}"
            )
        settings.append(
            ModelSettings(
                config.name,
                Path(config.base_path),
                _read_policy(config.model_version_policy),
                tuple(sorted(config.version_labels.items())),
            )
        )
    return settings


def _read_policy(policy: Any) -> VersionPolicy:
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return VersionPolicy(latest=0)
    if choice == "specific":
        if not policy.specific.versions:
            raise invalid("A specific version policy names at least one version.")
        return VersionPolicy(latest=0, specific=tuple(policy.specific.versions))
    return VersionPolicy(latest=policy.latest.num_versions or 1)
