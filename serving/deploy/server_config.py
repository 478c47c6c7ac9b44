"""What tensorflow_model_server reads: models, batching and monitoring, as text protos."""

from __future__ import annotations

import json

from serving.deploy.deployment import MODELS_FOLDER, Deployment
from serving.deploy.server_flags import BATCHING_PARAMETERS, MODELS_CONFIG, MONITORING_CONFIG


def write_server_config(deployment: Deployment) -> dict[str, str]:
    """Returns the text of each file by its name."""
    return {
        MODELS_CONFIG: write_models_config(deployment),
        BATCHING_PARAMETERS: write_batching_parameters(deployment),
        MONITORING_CONFIG: write_monitoring_config(deployment),
    }


def write_models_config(deployment: Deployment) -> str:
    """Returns the `ModelServerConfig`: versions that are loaded, and their labels."""
    versions = "".join(f"        versions: {number}\n" for number in deployment.served.folders)
    labels = "".join(
        f'    version_labels {{ key: "{label}" value: {number} }}\n'
        for label, number in deployment.served.labels.items()
    )
    return f"""\
# tensorflow.serving.ModelServerConfig, for --model_config_file.
# A running server moves a label only to a version that it has loaded: first add the version
# under `versions` (as `canary`, say), and when it is AVAILABLE move `stable`.
model_config_list {{
  config {{
    name: {_quote(deployment.name)}
    base_path: {_quote(f"{MODELS_FOLDER}/{deployment.name}")}
    model_platform: "tensorflow"
    model_version_policy {{
      specific {{
{versions}      }}
    }}
{labels}  }}
}}
"""


def write_batching_parameters(deployment: Deployment) -> str:
    """Returns the `BatchingParameters`."""
    batching = deployment.settings.batching
    sizes = "".join(f"allowed_batch_sizes: {size}\n" for size in deployment.batch_sizes)
    # A request that is larger than max_batch_size is refused, one of the model's warm-up too, and
    # then the version is never loaded: what is computed at once is limited by splitting instead.
    largest = deployment.served.max_request
    splitting = ""
    if deployment.max_batch < largest:
        splitting = (
            "enable_large_batch_splitting { value: true }\n"
            f"max_execution_batch_size {{ value: {deployment.max_batch} }}\n"
        )
    return f"""\
# tensorflow.serving.BatchingParameters, for --batching_parameters_file.
# Batches are filled up to one of these sizes; the model's warm-up requests have run each of them.
max_batch_size {{ value: {largest} }}
{splitting}{sizes}batch_timeout_micros {{ value: {batching.batch_timeout_micros} }}
max_enqueued_batches {{ value: {batching.max_enqueued_batches} }}
num_batch_threads {{ value: {batching.num_batch_threads or deployment.cores} }}
thread_pool_name {{ value: {_quote(f"{deployment.name}_batches")} }}
"""


def write_monitoring_config(deployment: Deployment) -> str:
    """Returns the `MonitoringConfig`."""
    monitoring = deployment.settings.monitoring
    return f"""\
# tensorflow.serving.MonitoringConfig, for --monitoring_config_file.
prometheus_config {{
  enable: {str(monitoring.enable).lower()}
  path: {_quote(monitoring.path)}
}}
"""


def _quote(text: str) -> str:
    return json.dumps(text)
