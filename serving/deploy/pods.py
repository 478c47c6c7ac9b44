"""The container that Kubernetes and KServe run: probes, limits and rights."""

from __future__ import annotations

import hashlib
from typing import Any

from serving.deploy.deployment import CONFIG_FOLDER, USER, Deployment
from serving.deploy.server_config import write_server_config
from serving.deploy.server_flags import list_flags

_PROBE_PERIOD = 5


def name_config_map(deployment: Deployment) -> str:
    """Returns a name that changes with the content.

    Under a name that stays, a rollback of the Deployment would start its old
    image with the versions and labels of the new one.
    """
    content = "".join(write_server_config(deployment).values())
    return f"{deployment.name}-config-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def build_container(deployment: Deployment, name: str) -> dict[str, Any]:
    """Returns the container of the server.

    Args:
        deployment: What is served.
        name: str. Of the container; KServe looks for `kserve-container`.
    """
    server, resources = deployment.settings.server, deployment.settings.resources
    amounts = {"cpu": resources.cpu, "memory": resources.memory}
    if deployment.on_gpu:
        amounts["nvidia.com/gpu"] = str(resources.gpus)
    return {
        "name": name,
        "image": deployment.image(gpu=deployment.on_gpu),
        "args": list_flags(deployment),
        "ports": [
            {"name": "http1", "containerPort": server.rest_api_port, "protocol": "TCP"},
            {"name": "grpc", "containerPort": server.port, "protocol": "TCP"},
        ],
        **_build_probes(deployment),
        # SIGTERM ends the server with all that it has: it comes when no client asks any more.
        "lifecycle": {
            "preStop": {
                "exec": {"command": ["sleep", str(deployment.settings.scaling.drain_seconds)]}
            }
        },
        # As much asked for as allowed: never throttled below, nor killed before, its neighbours.
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def build_pod(deployment: Deployment, container: dict[str, Any]) -> dict[str, Any]:
    """Returns the pod around the container."""
    return {
        "automountServiceAccountToken": False,
        # The server is then not the first process, which would ignore SIGTERM.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": deployment.settings.scaling.drain_seconds + 10,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": name_config_map(deployment)}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _build_probes(deployment: Deployment) -> dict[str, Any]:
    """Returns probes: started and ready when REST knows the label, alive when gRPC answers."""
    server, scaling = deployment.settings.server, deployment.settings.scaling
    status = {"path": deployment.status_path, "port": server.rest_api_port}
    return {
        "startupProbe": {
            "httpGet": status,
            "periodSeconds": _PROBE_PERIOD,
            "failureThreshold": -(-scaling.startup_seconds // _PROBE_PERIOD),
        },
        "readinessProbe": {
            "httpGet": dict(status),
            "periodSeconds": _PROBE_PERIOD,
            "timeoutSeconds": 2,
            "failureThreshold": 2,
        },
        # Generous: a busy server that is killed leaves its work to the others, which die next.
        "livenessProbe": {
            "grpc": {"port": server.port, "service": "PredictionService"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
    }
