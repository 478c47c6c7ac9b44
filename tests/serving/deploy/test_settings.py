from __future__ import annotations

import dataclasses

import pytest

from serving.deploy.settings import Settings
from serving.deploy.settings_file import read_settings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.name=My_Model", "model.name must be 1 to 40 lower-case"),
        ("model.name=" + "a" * 41, "model.name must be 1 to 40"),
        ("model.name=a-", "model.name must be"),
        ("model.stable=-1", "model.stable must be at least 0"),
        ("image.device=tpu", "image.device must be cpu or gpu"),
        ("image.serving_tag=latest", "image.serving_tag must name one version"),
        ("image.serving_gpu_tag=nightly-gpu", "image.serving_gpu_tag must name one version"),
        ("image.serving_tag=2.19 1", "image.serving_tag must be a tag"),
        ("image.repository=me/model:1", "image name without a tag"),
        ("image.repository=$(whoami)", "image name without a tag"),
        ("server.port=80", "server.port must be from 1024"),
        ("server.port=8501", "server.rest_api_port must differ from server.port"),
        ("server.rest_api_timeout_in_ms=0", "server.rest_api_timeout_in_ms must be at least 1"),
        ("server.grpc_max_threads=-1", "server.grpc_max_threads must be at least 0"),
        ("server.per_process_gpu_memory_fraction=1.5", "must be from 0 to 1"),
        ("server.grpc_channel_arguments=grpc.a", "name=value pairs"),
        ("batching.max_enqueued_batches=0", "batching.max_enqueued_batches must be at least 1"),
        ("batching.batch_timeout_micros=-5", "batching.batch_timeout_micros must be at least 0"),
        ("monitoring.path=metrics", "monitoring.path must be a path"),
        ("monitoring.scrape_interval=15", "monitoring.scrape_interval must be a duration"),
        ("resources.cpu=1.5", "resources.cpu must be a whole number"),
        ("resources.memory=4GB", "resources.memory must be an amount"),
        ("resources.gpus=0", "resources.gpus must be at least 1"),
        ("scaling.max_replicas=1", r"scaling.max_replicas must be at least .* \(2\)"),
        ("scaling.target_cpu_percent=101", "scaling.target_cpu_percent must be from 1 to 100"),
        ("scaling.drain_seconds=10", "at least the 30 s of server.rest_api_timeout_in_ms"),
        ("kubernetes.namespace=Shop", "kubernetes.namespace must be lower-case"),
        ('kubernetes.allow_from_namespaces=["ok", "no_"]', "kubernetes.allow_from_namespaces"),
    ],
)
def test_what_cannot_be_is_refused(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_settings(None, [setting])


def test_settings_stay_as_they_are() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().model.name = "other"  # type: ignore[misc]


def test_every_setting_says_what_it_means() -> None:
    for section in dataclasses.fields(Settings):
        assert type(getattr(Settings(), section.name)).__doc__.endswith(".")
        for field in dataclasses.fields(getattr(Settings(), section.name)):
            assert field.metadata["comment"].endswith((".", ")")), (section.name, field.name)


def test_old_grpc_connections_are_gone_when_a_replica_is_told_to_go() -> None:
    settings = Settings()
    pairs = settings.server.grpc_channel_arguments.split(",")
    milliseconds = {name: int(value) for name, value in (pair.split("=") for pair in pairs)}
    # gRPC varies the age of connections by a tenth, so that not all go at once.
    longest = 1.1 * milliseconds["grpc.max_connection_age_ms"]
    longest += milliseconds["grpc.max_connection_age_grace_ms"]
    assert longest <= 1000 * settings.scaling.drain_seconds
