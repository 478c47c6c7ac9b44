"""The command line of tensorflow_model_server."""

from __future__ import annotations

from serving.deploy.deployment import CONFIG_FOLDER, Deployment

BINARY = "/usr/bin/tensorflow_model_server"
MODELS_CONFIG = "models.config"
BATCHING_PARAMETERS = "batching_parameters.txt"
MONITORING_CONFIG = "monitoring.config"


def list_flags(deployment: Deployment) -> list[str]:
    """Returns the arguments of tensorflow_model_server, one `--name=value` each."""
    server, batching = deployment.settings.server, deployment.settings.batching
    # A request waits in its thread until its batch is answered: fewer threads than two
    # batches of single products, and no batch is ever full.
    waiting = 2 * deployment.max_batch
    flags: dict[str, object] = {
        "port": server.port,
        "rest_api_port": server.rest_api_port,
        "rest_api_timeout_in_ms": server.rest_api_timeout_in_ms,
        "rest_api_num_threads": server.rest_api_num_threads or waiting,
        "grpc_max_threads": server.grpc_max_threads or waiting,
        "model_config_file": f"{CONFIG_FOLDER}/{MODELS_CONFIG}",
        "model_config_file_poll_wait_seconds": server.model_config_file_poll_wait_seconds,
        "file_system_poll_wait_seconds": server.file_system_poll_wait_seconds,
        # Without it a server does not start with labels: they are read before models are loaded.
        "allow_version_labels_for_unavailable_models": True,
        "enable_model_warmup": server.enable_model_warmup,
        # What the liveness probe asks.
        "enable_grpc_healthcheck_service": True,
        "tensorflow_intra_op_parallelism": server.tensorflow_intra_op_parallelism
        or deployment.cores,
        "tensorflow_inter_op_parallelism": server.tensorflow_inter_op_parallelism
        or deployment.cores,
    }
    if batching.enable_batching:
        flags["enable_batching"] = True
        # Without --enable_batching the server refuses to start with this one.
        flags["batching_parameters_file"] = f"{CONFIG_FOLDER}/{BATCHING_PARAMETERS}"
    if deployment.settings.monitoring.enable:
        flags["monitoring_config_file"] = f"{CONFIG_FOLDER}/{MONITORING_CONFIG}"
    if server.grpc_channel_arguments:
        flags["grpc_channel_arguments"] = server.grpc_channel_arguments
    if server.per_process_gpu_memory_fraction:
        flags["per_process_gpu_memory_fraction"] = server.per_process_gpu_memory_fraction
    return [f"--{name}={_text(value)}" for name, value in flags.items()]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
