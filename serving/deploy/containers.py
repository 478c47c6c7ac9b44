"""The image, and Compose files that run it on one machine."""

from __future__ import annotations

import json
from typing import Any

from serving.deploy.deployment import CONFIG_FOLDER, MODELS_FOLDER, USER, Deployment
from serving.deploy.server_flags import BINARY, list_flags


def write_dockerfile(deployment: Deployment) -> str:
    """Returns the Dockerfile; the build argument TF_SERVING_TAG chooses CPU or GPU."""
    server, start = deployment.settings.server, deployment.settings.scaling.startup_seconds
    arguments = ", \\\n     ".join(json.dumps(flag) for flag in list_flags(deployment))
    return f"""\
# On a CPU:  docker build -t {deployment.image(gpu=False)} .
# On a GPU:  docker build --build-arg TF_SERVING_TAG={deployment.base_tag(gpu=True)} \
-t {deployment.image(gpu=True)} .
ARG TF_SERVING_TAG={deployment.base_tag(gpu=False)}
FROM tensorflow/serving:${{TF_SERVING_TAG}}

COPY config/ {CONFIG_FOLDER}/
COPY models/ {MODELS_FOLDER}/

# Where a read-only file system can be written.
ENV CUDA_CACHE_PATH=/tmp/cuda
USER {USER}:{USER}
EXPOSE {server.port} {server.rest_api_port}
HEALTHCHECK --interval=10s --timeout=5s --start-period={start}s \\
    CMD {json.dumps(list_health_command(deployment))}
# The image's own entrypoint is a shell, which keeps signals from the server.
ENTRYPOINT [{json.dumps(BINARY)}]
CMD [{arguments}]
"""


def list_health_command(deployment: Deployment) -> list[str]:
    """Returns a command that fails unless the stable version answers; the image has no curl."""
    port = deployment.settings.server.rest_api_port
    ask = f"GET {deployment.status_path} HTTP/1.0\\r\\n\\r\\n"
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{ask}' >&3 && grep -q AVAILABLE <&3"
    return ["/bin/bash", "-c", script]


def write_dockerignore() -> str:
    """Returns what the image is built from: models and configuration, nothing else."""
    return "*\n!config/\n!models/\n"


def build_compose(deployment: Deployment, *, gpu: bool) -> dict[str, Any]:
    """Returns the Compose file of the server and of a Prometheus that watches it."""
    server, resources = deployment.settings.server, deployment.settings.resources
    limits: dict[str, Any] = {"cpus": resources.cpu, "memory": resources.memory.rstrip("i")}
    reservations: dict[str, Any] = {}
    if gpu:
        device = {"driver": "nvidia", "count": resources.gpus, "capabilities": ["gpu"]}
        reservations = {"reservations": {"devices": [device]}}
    service = {
        "image": deployment.image(gpu=gpu),
        "build": {
            "context": ".",
            "args": {"TF_SERVING_TAG": deployment.base_tag(gpu=gpu)},
        },
        "ports": [
            f"127.0.0.1:{server.port}:{server.port}",
            f"127.0.0.1:{server.rest_api_port}:{server.rest_api_port}",
        ],
        # The first process of a container ignores SIGTERM unless it handles it.
        "init": True,
        "restart": "unless-stopped",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "deploy": {"resources": {"limits": limits, **reservations}},
    }
    services = {deployment.name: service}
    if deployment.settings.monitoring.enable:
        services["prometheus"] = _prometheus(deployment)
    return {"name": f"{deployment.name}-serving", "services": services}


def _prometheus(deployment: Deployment) -> dict[str, Any]:
    return {
        "image": "prom/prometheus:v3.5.0",
        "profiles": ["monitoring"],
        "volumes": ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"],
        "ports": ["127.0.0.1:9090:9090"],
        "depends_on": {deployment.name: {"condition": "service_healthy"}},
    }


def build_prometheus(deployment: Deployment) -> dict[str, Any]:
    """Returns the configuration of a Prometheus that runs beside the server."""
    target = f"{deployment.name}:{deployment.settings.server.rest_api_port}"
    monitoring = deployment.settings.monitoring
    return {
        "scrape_configs": [
            {
                "job_name": deployment.name,
                "scrape_interval": monitoring.scrape_interval,
                "metrics_path": monitoring.path,
                "static_configs": [{"targets": [target]}],
            }
        ]
    }
