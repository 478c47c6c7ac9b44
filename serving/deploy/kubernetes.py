"""The Kubernetes objects: configuration, replicas, address, growth, and who may ask."""

from __future__ import annotations

from typing import Any

from serving.deploy.deployment import Deployment
from serving.deploy.pods import build_container, build_pod, name_config_map
from serving.deploy.server_config import write_server_config


def build_kubernetes(deployment: Deployment) -> list[dict[str, Any]]:
    """Returns the objects in the order in which they are applied."""
    return [
        build_config_map(deployment),
        _build_deployment(deployment),
        _build_service(deployment),
        _build_autoscaler(deployment),
        _build_disruption_budget(deployment),
        _build_network_policy(deployment),
    ]


def build_config_map(deployment: Deployment) -> dict[str, Any]:
    """Returns the server's configuration."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**_metadata(deployment), "name": name_config_map(deployment)},
        "immutable": True,
        "data": write_server_config(deployment),
    }


def build_annotations(deployment: Deployment) -> dict[str, str]:
    """Returns where Prometheus finds the metrics of a pod."""
    monitoring = deployment.settings.monitoring
    return {
        "prometheus.io/scrape": str(monitoring.enable).lower(),
        "prometheus.io/path": monitoring.path,
        "prometheus.io/port": str(deployment.settings.server.rest_api_port),
    }


def _labels(deployment: Deployment) -> dict[str, str]:
    return {"app.kubernetes.io/name": deployment.name}


def _metadata(deployment: Deployment) -> dict[str, Any]:
    return {
        "name": deployment.name,
        "namespace": deployment.settings.kubernetes.namespace,
        "labels": {
            **_labels(deployment),
            "app.kubernetes.io/component": "serving",
            "app.kubernetes.io/part-of": "taxofuse",
        },
    }


def _build_deployment(deployment: Deployment) -> dict[str, Any]:
    pod = build_pod(deployment, build_container(deployment, "tensorflow-serving"))
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _labels(deployment)},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(deployment),
        # No `replicas`: each time the file is applied it would undo what the autoscaler decided.
        "spec": {
            "selector": {"matchLabels": _labels(deployment)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "metadata": {
                    "labels": _labels(deployment),
                    "annotations": build_annotations(deployment),
                },
                "spec": {**pod, "topologySpreadConstraints": [spread]},
            },
        },
    }


def _build_service(deployment: Deployment) -> dict[str, Any]:
    server = deployment.settings.server
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(deployment),
        "spec": {
            "selector": _labels(deployment),
            "ports": [
                {
                    "name": "grpc",
                    "port": server.port,
                    "targetPort": "grpc",
                    "appProtocol": "kubernetes.io/h2c",
                },
                {"name": "http", "port": server.rest_api_port, "targetPort": "http1"},
            ],
        },
    }


def _build_autoscaler(deployment: Deployment) -> dict[str, Any]:
    scaling = deployment.settings.scaling
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(deployment),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": deployment.name,
            },
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            # A new replica loads and warms up: one that is dropped too early is missed for long.
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def _build_disruption_budget(deployment: Deployment) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(deployment),
        # Not minAvailable: with one replica it would forbid to empty a node for ever.
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(deployment)}},
    }


def _build_network_policy(deployment: Deployment) -> dict[str, Any]:
    server = deployment.settings.server
    others = deployment.settings.kubernetes.allow_from_namespaces
    sources: list[dict[str, Any]] = [{"podSelector": {}}]
    sources += [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in others
    ]
    ports = [{"port": port, "protocol": "TCP"} for port in (server.port, server.rest_api_port)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(deployment),
        "spec": {
            "podSelector": {"matchLabels": _labels(deployment)},
            # Egress with no rule: the server has nobody to call.
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": sources, "ports": ports}],
        },
    }
