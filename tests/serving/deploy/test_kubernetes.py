"""The manifest, against the schemas of Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml

from serving.deploy.deployment import Deployment
from serving.deploy.folder import write_files
from serving.deploy.server_flags import list_flags

VERSIONS = ("1.28", "1.33")
"""gRPC probes have been stable since 1.27."""


def documents(deployment: Deployment) -> dict[str, dict[str, Any]]:
    text = write_files(deployment)["kubernetes.yaml"]
    found = list(yaml.safe_load_all(text))
    by_kind = {document["kind"]: document for document in found}
    assert len(by_kind) == len(found)
    return by_kind


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "settings", [(), ("image.device=gpu", 'kubernetes.allow_from_namespaces=["monitoring"]')]
)
def test_every_object_is_valid(
    plan: Callable[..., Deployment], settings: tuple[str, ...], version: str
) -> None:
    found = documents(plan(*settings))
    assert list(found) == [
        "ConfigMap",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ]
    for document in found.values():
        kubernetes_validate.validate(document, version, strict=True)


def test_the_validator_refuses_a_field_that_there_is_not(plan: Callable[..., Deployment]) -> None:
    document = documents(plan())["Deployment"]
    document["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenessprobe"):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


def test_objects_find_each_other(plan: Callable[..., Deployment]) -> None:
    found = documents(plan("model.name=shop", "kubernetes.namespace=products"))
    assert {document["metadata"]["namespace"] for document in found.values()} == {"products"}
    template = found["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"].items()
    spread = template["spec"]["topologySpreadConstraints"][0]["labelSelector"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        spread["matchLabels"],
    ):
        assert selector
        assert selector.items() <= labels
    scaled = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert scaled["name"] == found["Deployment"]["metadata"]["name"] == "shop"
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    (container,) = template["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    config_map = found["ConfigMap"]["metadata"]["name"]
    assert volumes["config"]["configMap"]["name"] == config_map
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for port in found["Service"]["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]


def test_files_that_flags_name_are_in_the_configuration(plan: Callable[..., Deployment]) -> None:
    found = documents(plan())
    files = {f"/etc/tensorflow-serving/{name}" for name in found["ConfigMap"]["data"]}
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    named = {flag.split("=")[1] for flag in container["args"] if "_file=" in flag}
    assert named == files


def test_other_content_has_another_name_so_that_rollbacks_get_their_own(
    plan: Callable[..., Deployment],
) -> None:
    name = lambda *settings: documents(plan(*settings))["ConfigMap"]["metadata"]["name"]  # noqa: E731
    assert name() == name()
    assert len({name(), name("model.stable=2"), name("batching.max_enqueued_batches=3")}) == 3


def test_probes_ask_the_ports_of_the_server(plan: Callable[..., Deployment]) -> None:
    settings = ("server.port=9000", "server.rest_api_port=9001", "scaling.startup_seconds=121")
    deployment = plan(*settings)
    spec = documents(deployment)["Deployment"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    status = {"path": "/v1/models/taxofuse/labels/stable", "port": 9001}
    assert container["startupProbe"]["httpGet"] == container["readinessProbe"]["httpGet"] == status
    started = container["startupProbe"]
    assert started["failureThreshold"] * started["periodSeconds"] >= 121
    assert container["livenessProbe"]["grpc"] == {"port": 9000, "service": "PredictionService"}
    assert "--enable_grpc_healthcheck_service=true" in container["args"]
    assert container["args"] == list_flags(deployment)


def test_a_replica_that_goes_has_time_to_answer(plan: Callable[..., Deployment]) -> None:
    spec = documents(plan("scaling.drain_seconds=45"))["Deployment"]["spec"]["template"]["spec"]
    stop = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert stop == ["sleep", "45"]
    assert spec["terminationGracePeriodSeconds"] > 45
    assert spec["shareProcessNamespace"] is True


def test_limits_and_gpus(plan: Callable[..., Deployment]) -> None:
    def resources(*settings: str) -> dict[str, Any]:
        found = documents(plan("resources.cpu=3", "resources.memory=2Gi", *settings))
        return found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"]

    amounts = {"cpu": "3", "memory": "2Gi"}
    assert resources() == {"requests": amounts, "limits": amounts}
    gpu = {**amounts, "nvidia.com/gpu": "2"}
    assert resources("image.device=gpu", "resources.gpus=2") == {"requests": gpu, "limits": gpu}


def test_the_gpu_manifest_runs_the_gpu_image(plan: Callable[..., Deployment]) -> None:
    found = documents(plan("image.device=gpu", "image.repository=registry.example.com/a/b"))
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/a/b:3-33333333-gpu"


def test_the_server_has_no_more_rights_than_it_needs(plan: Callable[..., Deployment]) -> None:
    spec = documents(plan())["Deployment"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsUser"] == 1000
    assert spec["automountServiceAccountToken"] is False
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is rights["runAsNonRoot"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}


def test_only_the_namespaces_that_are_named_reach_the_server(
    plan: Callable[..., Deployment],
) -> None:
    def sources(*settings: str) -> list[dict[str, Any]]:
        policy = documents(plan(*settings))["NetworkPolicy"]["spec"]
        assert "egress" not in policy
        assert "Egress" in policy["policyTypes"]
        return policy["ingress"][0]["from"]

    own = {"podSelector": {}}
    assert sources() == [own]
    monitoring = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    assert sources('kubernetes.allow_from_namespaces=["monitoring"]') == [
        own,
        {"namespaceSelector": monitoring},
    ]


def test_the_autoscaler_alone_decides_how_many_there_are(plan: Callable[..., Deployment]) -> None:
    found = documents(plan("scaling.min_replicas=3", "scaling.max_replicas=9"))
    assert "replicas" not in found["Deployment"]["spec"]
    spec = found["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 9)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
