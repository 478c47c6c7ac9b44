"""The InferenceService, by what KServe says of it.

A predictor of serving.kserve.io/v1beta1 is a Kubernetes pod spec with some
fields of KServe's own (CRD of KServe 0.20, `spec.predictor`). The pod is
checked by Kubernetes' schema, the others by name and type here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml

from serving.deploy.deployment import Deployment
from serving.deploy.folder import write_files

OWN_FIELDS: dict[str, type] = {
    "minReplicas": int,
    "maxReplicas": int,
    "scaleTarget": int,
    "scaleMetric": str,
    "timeout": int,
    "containerConcurrency": int,
    "canaryTrafficPercent": int,
}
MODES = ("Knative", "Standard", "RawDeployment", "Serverless", "ModelMesh")
METRICS = ("cpu", "memory", "concurrency", "rps")


def documents(deployment: Deployment) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(write_files(deployment)["kserve.yaml"]))


def check_inference_service(service: dict[str, Any]) -> None:
    """Raises for what the API server would refuse."""
    assert set(service) == {"apiVersion", "kind", "metadata", "spec"}
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["kind"] == "InferenceService"
    assert set(service["spec"]) == {"predictor"}
    predictor = dict(service["spec"]["predictor"])
    own = {name: predictor.pop(name) for name in list(predictor) if name in OWN_FIELDS}
    for name, value in own.items():
        assert type(value) is OWN_FIELDS[name], name
    assert own["scaleMetric"] in METRICS
    metadata = {**service["metadata"]}
    assert metadata["annotations"]["serving.kserve.io/deploymentMode"] in MODES
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": predictor}
    kubernetes_validate.validate(pod, "1.33", strict=True)


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_the_manifest_is_valid(plan: Callable[..., Deployment], device: str) -> None:
    config_map, service = documents(plan(f"image.device={device}"))
    kubernetes_validate.validate(config_map, "1.33", strict=True)
    check_inference_service(service)


def test_the_check_refuses_what_neither_kserve_nor_a_pod_has(
    plan: Callable[..., Deployment],
) -> None:
    _, service = documents(plan())
    service["spec"]["predictor"]["min_replicas"] = 2
    with pytest.raises(kubernetes_validate.ValidationError, match="min_replicas"):
        check_inference_service(service)


def test_the_container_is_the_one_that_kserve_routes_to(plan: Callable[..., Deployment]) -> None:
    _, service = documents(plan("server.rest_api_port=9001", "image.repository=registry.io/shop"))
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["name"] == "kserve-container"
    assert container["image"] == "registry.io/shop:3-33333333"
    # In a plain Deployment KServe sends requests to the first port.
    assert container["ports"][0]["containerPort"] == 9001


def test_replicas_limits_and_deadline_are_those_of_the_settings(
    plan: Callable[..., Deployment],
) -> None:
    settings = (
        "scaling.min_replicas=1",
        "scaling.max_replicas=4",
        "scaling.target_cpu_percent=50",
        "server.rest_api_timeout_in_ms=2500",
    )
    config_map, service = documents(plan(*settings))
    predictor = service["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (1, 4)
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("cpu", 50)
    assert predictor["timeout"] == 3
    (config,) = [volume for volume in predictor["volumes"] if volume["name"] == "config"]
    assert config["configMap"]["name"] == config_map["metadata"]["name"]
