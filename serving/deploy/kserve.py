"""The same server under KServe."""

from __future__ import annotations

from typing import Any

from serving.deploy.deployment import Deployment
from serving.deploy.kubernetes import build_annotations, build_config_map
from serving.deploy.pods import build_container, build_pod


def build_kserve(deployment: Deployment) -> list[dict[str, Any]]:
    """Returns the configuration and the InferenceService.

    Its container is ours rather than KServe's TensorFlow runtime: that one
    knows no labels and no batching parameters.
    """
    container = build_container(deployment, "kserve-container")
    scaling = deployment.settings.scaling
    predictor = {
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "scaleMetric": "cpu",
        "scaleTarget": scaling.target_cpu_percent,
        "timeout": -(-deployment.settings.server.rest_api_timeout_in_ms // 1000),
        **build_pod(deployment, container),
    }
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": deployment.name,
            "namespace": deployment.settings.kubernetes.namespace,
            "annotations": {
                # Plain Deployments: Knative would allow one port and replaces the probes.
                "serving.kserve.io/deploymentMode": "RawDeployment",
                **build_annotations(deployment),
            },
        },
        "spec": {"predictor": predictor},
    }
    return [build_config_map(deployment), service]
