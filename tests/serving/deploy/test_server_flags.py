"""Flags, against those that tensorflow_model_server has.

Names from tensorflow/serving 2.19.1, model_servers/main.cc (2.20.0 has the
same), types from model_servers/server.h.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from serving.deploy.deployment import Deployment
from serving.deploy.server_flags import list_flags

BOOLS = {
    "allow_version_labels_for_unavailable_models",
    "enable_batching",
    "enable_grpc_healthcheck_service",
    "enable_model_warmup",
    "enable_per_model_batching_parameters",
    "enable_profiler",
    "enable_serialization_as_tensor_content",
    "enable_signature_method_name_check",
    "flush_filesystem_caches",
    "prefer_tflite_model",
    "remove_unused_fields_from_bundle_metagraph",
    "rest_api_enable_cors_support",
    "skip_initialize_tpu",
    "use_alts_credentials",
    "version",
    "xla_cpu_compilation_enabled",
    "xla_gpu_compilation_enabled",
}
NUMBERS = {
    "file_system_poll_wait_seconds",
    "grpc_max_threads",
    "load_retry_interval_micros",
    "max_num_load_retries",
    "model_config_file_poll_wait_seconds",
    "num_load_threads",
    "num_request_iterations_for_warmup",
    "num_tflite_interpreters_per_pool",
    "num_tflite_pools",
    "num_unload_threads",
    "port",
    "rest_api_num_threads",
    "rest_api_port",
    "rest_api_timeout_in_ms",
    "tensorflow_inter_op_parallelism",
    "tensorflow_intra_op_parallelism",
    "tensorflow_session_parallelism",
}
FRACTIONS = {"per_process_gpu_memory_fraction"}
TEXTS = {
    "batching_parameters_file",
    "grpc_channel_arguments",
    "grpc_socket_path",
    "mixed_precision",
    "model_base_path",
    "model_config_file",
    "model_name",
    "monitoring_config_file",
    "platform_config_file",
    "saved_model_tags",
    "ssl_config_file",
    "tensorflow_session_config_file",
    "thread_pool_factory_config_file",
}


def flags(deployment: Deployment) -> dict[str, str]:
    pairs = [flag.removeprefix("--").split("=", maxsplit=1) for flag in list_flags(deployment)]
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("server.per_process_gpu_memory_fraction=0.5",),
        ("batching.enable_batching=false", "monitoring.enable=false"),
    ],
)
def test_every_flag_exists_and_has_a_value_of_its_type(
    plan: Callable[..., Deployment], settings: tuple[str, ...]
) -> None:
    for name, value in flags(plan(*settings)).items():
        if name in BOOLS:
            assert value in ("true", "false"), name
        elif name in NUMBERS:
            assert int(value) >= 0, name
        elif name in FRACTIONS:
            assert 0 <= float(value) <= 1, name
        else:
            assert name in TEXTS
            assert value


def test_settings_reach_the_flags_of_their_names(plan: Callable[..., Deployment]) -> None:
    found = flags(
        plan(
            "server.port=9000",
            "server.rest_api_port=9001",
            "server.rest_api_timeout_in_ms=5000",
            "server.rest_api_num_threads=7",
            "server.grpc_max_threads=8",
            "server.enable_model_warmup=false",
            "server.file_system_poll_wait_seconds=1",
            "server.model_config_file_poll_wait_seconds=2",
            "server.tensorflow_intra_op_parallelism=3",
            "server.tensorflow_inter_op_parallelism=4",
            "server.per_process_gpu_memory_fraction=0.25",
            "server.grpc_channel_arguments=grpc.max_connection_idle_ms=9",
        )
    )
    assert found["port"] == "9000"
    assert found["rest_api_port"] == "9001"
    assert found["rest_api_timeout_in_ms"] == "5000"
    assert found["rest_api_num_threads"] == "7"
    assert found["grpc_max_threads"] == "8"
    assert found["enable_model_warmup"] == "false"
    assert found["file_system_poll_wait_seconds"] == "1"
    assert found["model_config_file_poll_wait_seconds"] == "2"
    assert found["tensorflow_intra_op_parallelism"] == "3"
    assert found["tensorflow_inter_op_parallelism"] == "4"
    assert found["per_process_gpu_memory_fraction"] == "0.25"
    assert found["grpc_channel_arguments"] == "grpc.max_connection_idle_ms=9"


def test_threads_suffice_to_fill_two_batches(plan: Callable[..., Deployment]) -> None:
    found = flags(plan("batching.max_execution_batch_size=16", "resources.cpu=6"))
    assert found["rest_api_num_threads"] == found["grpc_max_threads"] == "32"
    assert found["tensorflow_intra_op_parallelism"] == "6"


def test_a_batching_file_is_given_only_with_batching(plan: Callable[..., Deployment]) -> None:
    with_batching, without = flags(plan()), flags(plan("batching.enable_batching=false"))
    assert with_batching["enable_batching"] == "true"
    assert "batching_parameters_file" in with_batching
    assert not {"enable_batching", "batching_parameters_file"} & set(without)


def test_a_server_can_start_with_labels(plan: Callable[..., Deployment]) -> None:
    assert flags(plan())["allow_version_labels_for_unavailable_models"] == "true"
