"""What a deployment is decided by. Options of TensorFlow Serving keep the names of its flags."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_IMAGE = re.compile(r"([a-z0-9.-]+(:\d+)?/)?[a-z0-9]+([._/-][a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_CPU = re.compile(r"[1-9]\d*")
_MEMORY = re.compile(r"[1-9]\d*(Mi|Gi)")
_DURATION = re.compile(r"[1-9]\d*(s|m)")
_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)+")
_ARGUMENTS = re.compile(r"([a-z0-9_.]+=[A-Za-z0-9_.:/-]+(,[a-z0-9_.]+=[A-Za-z0-9_.:/-]+)*)?")


def setting(default: Any, comment: str) -> Any:
    """Declares a setting; the comment stands above it in the file of defaults."""
    return field(default=default, metadata={"comment": comment})


def refuse(name: str, rule: str, received: object) -> None:
    """Raises the error for a value that a setting cannot have."""
    raise ValueError(f"{name} {rule}. Received: {received!r}.")


def _matches(name: str, pattern: re.Pattern[str], expected: str, value: str) -> None:
    if not pattern.fullmatch(value):
        refuse(name, f"must be {expected}", value)


def _at_least(section: Any, prefix: str, least: int, *names: str) -> None:
    for name in names:
        if getattr(section, name) < least:
            refuse(f"{prefix}.{name}", f"must be at least {least}", getattr(section, name))


@dataclass(frozen=True)
class Model:
    """What is served under which name."""

    name: str = setting(
        "taxofuse",
        "In URLs: /v1/models/NAME; also what containers and Kubernetes objects are called.",
    )
    stable: int = setting(0, "Version behind the label `stable`; 0 is the newest.")
    canary: int = setting(
        0,
        "Version behind the label `canary`; 0 is none. A request that names neither version nor\n"
        "label is answered by the highest version: with a canary, let clients ask for `stable`.",
    )

    def __post_init__(self) -> None:
        expected = "1 to 40 lower-case letters, digits and hyphens, as in a host name"
        _matches("model.name", _NAME, expected, self.name)
        _at_least(self, "model", 0, "stable", "canary")


@dataclass(frozen=True)
class Image:
    """Container images."""

    device: str = setting(
        "cpu", "`cpu` or `gpu`: what the Kubernetes and KServe manifests ask for."
    )
    repository: str = setting(
        "",
        "Name of the image that is built, with the registry it is pushed to, such as\n"
        "registry.example.com/team/NAME; empty: model.name.",
    )
    serving_tag: str = setting("2.19.1", "Tag of tensorflow/serving on a CPU (amd64).")
    serving_gpu_tag: str = setting("2.19.1-gpu", "Tag of tensorflow/serving on a GPU (CUDA 12.2).")

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "gpu"):
            refuse("image.device", "must be cpu or gpu", self.device)
        if self.repository:
            expected = "an image name without a tag, such as registry.example.com/team/name"
            _matches("image.repository", _IMAGE, expected, self.repository)
        for name in ("serving_tag", "serving_gpu_tag"):
            value = getattr(self, name)
            _matches(f"image.{name}", _TAG, "a tag of tensorflow/serving, such as 2.19.1", value)
            if value.startswith(("latest", "nightly")):
                refuse(f"image.{name}", "must name one version: what is tested is what runs", value)


@dataclass(frozen=True)
class Server:
    """Flags of tensorflow_model_server, by their names."""

    port: int = setting(8500, "gRPC.")
    rest_api_port: int = setting(8501, "REST and metrics.")
    rest_api_timeout_in_ms: int = setting(30_000, "Deadline of a REST request.")
    rest_api_num_threads: int = setting(
        0,
        "REST requests at work at a time, waiting for their batch included; 0: two full batches.",
    )
    grpc_max_threads: int = setting(0, "The same for gRPC; 0: two full batches.")
    grpc_channel_arguments: str = setting(
        "grpc.max_connection_age_ms=20000,grpc.max_connection_age_grace_ms=15000",
        "A gRPC connection stays with one replica. Its age is bounded so that new replicas get\n"
        "work and one that goes is left: age (and a tenth) and grace within scaling.drain_seconds.",
    )
    enable_model_warmup: bool = setting(
        True, "Replay the model's own warm-up requests before a version answers others."
    )
    file_system_poll_wait_seconds: int = setting(
        5, "How often the model folder is looked at; 0: at the start only."
    )
    model_config_file_poll_wait_seconds: int = setting(
        30,
        "How often models.config is read again, where one is mounted whose labels move; 0: at the\n"
        "start only.",
    )
    tensorflow_intra_op_parallelism: int = setting(
        0, "Threads of one operation; 0: resources.cpu. TensorFlow would count the host's cores."
    )
    tensorflow_inter_op_parallelism: int = setting(0, "Operations at a time; 0: resources.cpu.")
    per_process_gpu_memory_fraction: float = setting(
        0.0, "Share of the GPU's memory that is taken; 0.0: TensorFlow decides (nearly all)."
    )

    def __post_init__(self) -> None:
        for name in ("port", "rest_api_port"):
            if not 1024 <= getattr(self, name) <= 65_535:
                rule = "must be from 1024 to 65535: the server is not root"
                refuse(f"server.{name}", rule, getattr(self, name))
        if self.port == self.rest_api_port:
            refuse("server.rest_api_port", "must differ from server.port", self.rest_api_port)
        _at_least(self, "server", 1, "rest_api_timeout_in_ms")
        _at_least(
            self,
            "server",
            0,
            "rest_api_num_threads",
            "grpc_max_threads",
            "file_system_poll_wait_seconds",
            "model_config_file_poll_wait_seconds",
            "tensorflow_intra_op_parallelism",
            "tensorflow_inter_op_parallelism",
        )
        if not 0 <= self.per_process_gpu_memory_fraction <= 1:
            share = self.per_process_gpu_memory_fraction
            refuse("server.per_process_gpu_memory_fraction", "must be from 0 to 1", share)
        expected = "name=value pairs separated by commas, without blanks"
        arguments = self.grpc_channel_arguments
        _matches("server.grpc_channel_arguments", _ARGUMENTS, expected, arguments)


@dataclass(frozen=True)
class Batching:
    """Requests that are answered together (TensorFlow Serving's BatchingParameters)."""

    enable_batching: bool = setting(True, "Join requests that wait into one batch.")
    max_execution_batch_size: int = setting(
        0,
        "Products that are computed together; 0: as many as the model was exported for. A request\n"
        "may have that many in any case: one larger than this is split.",
    )
    batch_timeout_micros: int = setting(
        0,
        "How long a batch waits to fill when a thread is free. 0 adds no latency and joins what\n"
        "has queued up meanwhile; on a GPU 1000 to 5000 fills batches better.",
    )
    max_enqueued_batches: int = setting(
        16, "Batches that may wait; a request beyond is refused at once (UNAVAILABLE, HTTP 503)."
    )
    num_batch_threads: int = setting(0, "Batches at work at a time; 0: resources.cpu.")

    def __post_init__(self) -> None:
        _at_least(
            self,
            "batching",
            0,
            "max_execution_batch_size",
            "batch_timeout_micros",
            "num_batch_threads",
        )
        _at_least(self, "batching", 1, "max_enqueued_batches")


@dataclass(frozen=True)
class Monitoring:
    """Metrics for Prometheus."""

    enable: bool = setting(True, "Offer metrics at rest_api_port.")
    path: str = setting("/monitoring/prometheus/metrics", "Where.")
    scrape_interval: str = setting("15s", "How often Prometheus asks.")

    def __post_init__(self) -> None:
        _matches("monitoring.path", _PATH, "a path such as /metrics", self.path)
        expected = "a duration such as 15s or 1m"
        _matches("monitoring.scrape_interval", _DURATION, expected, self.scrape_interval)


@dataclass(frozen=True)
class Resources:
    """What one replica may take."""

    cpu: str = setting("2", "Cores, whole: threads are counted by them.")
    memory: str = setting("4Gi", "Limit and request alike: beyond it the container is killed.")
    gpus: int = setting(1, "GPUs of a replica where a GPU is asked for.")

    def __post_init__(self) -> None:
        _matches("resources.cpu", _CPU, "a whole number of cores in quotes, such as '2'", self.cpu)
        _matches("resources.memory", _MEMORY, "an amount such as '4Gi' or '512Mi'", self.memory)
        _at_least(self, "resources", 1, "gpus")


@dataclass(frozen=True)
class Scaling:
    """How many replicas there are."""

    min_replicas: int = setting(2, "At least; 2 let one be replaced while the other answers.")
    max_replicas: int = setting(6, "At most; equal to min_replicas: a fixed number.")
    target_cpu_percent: int = setting(
        70, "CPU use of a replica that more of them are started above."
    )
    drain_seconds: int = setting(
        40,
        "How long a replica that is told to go still answers. At SIGTERM TensorFlow Serving drops\n"
        "what it has, so this must cover the slowest request and the news reaching every client.",
    )
    startup_seconds: int = setting(
        300, "How long loading and warming up may take before a replica is given up."
    )

    def __post_init__(self) -> None:
        _at_least(self, "scaling", 1, "min_replicas", "drain_seconds")
        _at_least(self, "scaling", 10, "startup_seconds")
        if self.max_replicas < self.min_replicas:
            rule = f"must be at least scaling.min_replicas ({self.min_replicas})"
            refuse("scaling.max_replicas", rule, self.max_replicas)
        if not 1 <= self.target_cpu_percent <= 100:
            refuse("scaling.target_cpu_percent", "must be from 1 to 100", self.target_cpu_percent)


@dataclass(frozen=True)
class Kubernetes:
    """Where in the cluster."""

    namespace: str = setting("default", "Namespace of all objects.")
    allow_from_namespaces: tuple[str, ...] = setting(
        (),
        "Namespaces, beside its own, whose pods may ask the server, such as that of Prometheus.\n"
        "TensorFlow Serving knows no passwords: whoever reaches it is answered.",
    )

    def __post_init__(self) -> None:
        expected = "lower-case letters, digits and hyphens"
        _matches("kubernetes.namespace", _NAME, expected, self.namespace)
        for name in self.allow_from_namespaces:
            _matches("kubernetes.allow_from_namespaces", _NAME, f"names of {expected}", name)


@dataclass(frozen=True)
class Settings:
    """All that the files of a deployment are made from.

    Args:
        model: Name, and the versions behind the labels.
        image: Container images.
        server: Flags of tensorflow_model_server.
        batching: Its batching parameters.
        monitoring: Metrics.
        resources: Of one replica.
        scaling: Replicas.
        kubernetes: Namespace and who may reach the server.
    """

    model: Model = Model()
    image: Image = Image()
    server: Server = Server()
    batching: Batching = Batching()
    monitoring: Monitoring = Monitoring()
    resources: Resources = Resources()
    scaling: Scaling = Scaling()
    kubernetes: Kubernetes = Kubernetes()

    def __post_init__(self) -> None:
        drain, deadline = self.scaling.drain_seconds, self.server.rest_api_timeout_in_ms / 1000
        if drain < deadline:
            rule = f"must be at least the {deadline:g} s of server.rest_api_timeout_in_ms"
            refuse("scaling.drain_seconds", rule, drain)
