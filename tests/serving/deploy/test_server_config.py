"""The text protos, parsed by TensorFlow Serving's own messages.

`tensorflow-serving-api` has ModelServerConfig. The two other messages are
declared here by the names, numbers and types of their fields in
tensorflow/serving 2.19.1: config/monitoring_config.proto and
servables/tensorflow/session_bundle_config.proto.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from serving.deploy.deployment import Deployment
from serving.deploy.server_config import (
    write_batching_parameters,
    write_models_config,
    write_monitoring_config,
)

INT64, BOOL, STRING, MESSAGE = 3, 8, 9, 11
ONE, MANY = 1, 3
WRAPPED = ".google.protobuf."
BATCHING_PARAMETERS = (
    ("max_batch_size", 1, ONE, f"{WRAPPED}Int64Value"),
    ("batch_timeout_micros", 2, ONE, f"{WRAPPED}Int64Value"),
    ("max_enqueued_batches", 3, ONE, f"{WRAPPED}Int64Value"),
    ("num_batch_threads", 4, ONE, f"{WRAPPED}Int64Value"),
    ("thread_pool_name", 5, ONE, f"{WRAPPED}StringValue"),
    ("allowed_batch_sizes", 6, MANY, INT64),
    ("pad_variable_length_inputs", 7, ONE, BOOL),
    ("enable_large_batch_splitting", 8, ONE, f"{WRAPPED}BoolValue"),
    ("max_execution_batch_size", 9, ONE, f"{WRAPPED}Int64Value"),
)
MESSAGES = {
    "BatchingParameters": BATCHING_PARAMETERS,
    "PrometheusConfig": (("enable", 1, ONE, BOOL), ("path", 2, ONE, STRING)),
    "MonitoringConfig": (("prometheus_config", 1, ONE, ".tensorflow.serving.PrometheusConfig"),),
}


def declared(name: str) -> Any:
    """Returns the class of a message of TensorFlow Serving."""
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    for message, fields in MESSAGES.items():
        declaration = file.message_type.add(name=message)
        for field, number, label, kind in fields:
            added = declaration.field.add(name=field, number=number, label=label)
            added.type = kind if isinstance(kind, int) else MESSAGE
            if isinstance(kind, str):
                added.type_name = kind
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tensorflow.serving.{name}"))


@pytest.mark.parametrize(
    ("settings", "versions", "labels"),
    [
        ((), [3], {"stable": 3}),
        (("model.stable=1", "model.canary=3"), [1, 3], {"stable": 1, "canary": 3}),
        # A canary below the stable version: a roll-back that is tried out.
        (("model.canary=2",), [2, 3], {"stable": 3, "canary": 2}),
    ],
)
def test_models_and_labels(
    plan: Callable[..., Deployment],
    settings: tuple[str, ...],
    versions: list[int],
    labels: dict[str, int],
) -> None:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    text = write_models_config(plan("model.name=shop", *settings))
    (config,) = text_format.Parse(text, ModelServerConfig()).model_config_list.config
    assert (config.name, config.base_path) == ("shop", "/models/shop")
    assert config.model_platform == "tensorflow"
    assert list(config.model_version_policy.specific.versions) == versions
    assert dict(config.version_labels) == labels
    # TensorFlow Serving gives a label only to a version that it loads.
    assert set(labels.values()) <= set(versions)


def test_batching(plan: Callable[..., Deployment]) -> None:
    deployment = plan(
        "batching.max_execution_batch_size=24",
        "batching.batch_timeout_micros=1500",
        "batching.max_enqueued_batches=7",
        "resources.cpu=3",
    )
    text = write_batching_parameters(deployment)
    parameters = text_format.Parse(text, declared("BatchingParameters")())
    # TensorFlow Serving's rule: rising, and the last is the largest batch that is computed.
    assert list(parameters.allowed_batch_sizes) == [1, 2, 4, 8, 16, 24]
    assert parameters.enable_large_batch_splitting.value is True
    assert parameters.max_execution_batch_size.value == 24
    # The model's warm-up asks with this many: smaller, and no version would load.
    assert parameters.max_batch_size.value == 64
    assert parameters.batch_timeout_micros.value == 1500
    assert parameters.max_enqueued_batches.value == 7
    assert parameters.num_batch_threads.value == 3
    assert parameters.thread_pool_name.value == "taxofuse_batches"


def test_the_largest_batch_is_that_of_the_card(plan: Callable[..., Deployment]) -> None:
    text = write_batching_parameters(plan())
    parameters = text_format.Parse(text, declared("BatchingParameters")())
    assert parameters.max_batch_size.value == parameters.allowed_batch_sizes[-1] == 64
    assert not parameters.HasField("enable_large_batch_splitting")
    assert not parameters.HasField("max_execution_batch_size")


def test_versions_of_different_limits_both_load_and_get_no_more_than_they_take(
    plan: Callable[..., Deployment], model: Path
) -> None:
    card = model / "export" / "1" / "assets.extra" / "taxofuse.json"
    card.write_text(card.read_text().replace('"max_batch": 64', '"max_batch": 16'))
    text = write_batching_parameters(plan("model.stable=1", "model.canary=3"))
    parameters = text_format.Parse(text, declared("BatchingParameters")())
    assert parameters.max_batch_size.value == 64
    assert parameters.max_execution_batch_size.value == parameters.allowed_batch_sizes[-1] == 16


@pytest.mark.parametrize("enable", [True, False])
def test_monitoring(plan: Callable[..., Deployment], enable: bool) -> None:
    text = write_monitoring_config(
        plan(f"monitoring.enable={str(enable).lower()}", "monitoring.path=/my/metrics")
    )
    config = text_format.Parse(text, declared("MonitoringConfig")())
    assert config.prometheus_config.enable is enable
    assert config.prometheus_config.path == "/my/metrics"


def test_the_declared_messages_refuse_what_they_do_not_have() -> None:
    with pytest.raises(text_format.ParseError, match="max_batches"):
        text_format.Parse("max_batches { value: 1 }", declared("BatchingParameters")())
