"""The page of a deployment folder: what is in it, and the exact commands."""

from __future__ import annotations

import json

from serving.deploy.deployment import CONFIG_FOLDER, MODELS_FOLDER, Deployment
from serving.deploy.server_flags import BINARY, list_flags

_EXAMPLES = {"image": {"b64": ""}, "number": 9.9}
"""An empty picture is an absent one; all other inputs are texts."""


def write_readme(deployment: Deployment) -> str:
    """Returns the page, in Markdown."""
    served, kubernetes = deployment.served, deployment.settings.kubernetes
    labels = ", ".join(f"`{label}` is version {number}" for label, number in served.labels.items())
    image = deployment.image(gpu=deployment.on_gpu)
    drain = deployment.settings.scaling.drain_seconds
    return f"""\
# {deployment.name} on TensorFlow Serving

{labels}. Made by `taxofuse deploy` from `settings.toml`.

To change anything, edit a copy of that file and run
`taxofuse deploy --model DIR --out THIS_FOLDER --settings COPY.toml` again: all files are replaced
together, and edits in them are lost. Containers that run from this folder are started anew.

## One machine, nothing built

CPU:

```bash
{_docker_run(deployment, gpu=False)}
```

GPU (NVIDIA driver and container toolkit on the host):

```bash
{_docker_run(deployment, gpu=True)}
```

## One machine, the model in an image

```bash
{_docker_build(deployment, gpu=False)}
{_docker_build(deployment, gpu=True)}
```

{_compose(deployment)}

Ports are open to this machine only, because TensorFlow Serving knows no passwords.

## Kubernetes

```bash
docker push {image}
kubectl apply -f kubernetes.yaml
kubectl -n {kubernetes.namespace} rollout status deployment/{deployment.name}
```

The image is the one that was built above{" for a GPU" if deployment.on_gpu else ""};
`image.repository` in the settings names your registry. With KServe, `kserve.yaml` takes the place
of `kubernetes.yaml`. Replicas are added by CPU use, which says little of a GPU: there, set
`scaling.min_replicas` to what the load needs.

## Ask it

```bash
{_ask(deployment)}
```

An empty text or picture is an absent one. Whoever names neither a version nor a label is answered
by the highest version that is loaded, the canary too.

## A new version

1. Deploy with `model.canary` set to the new version: both are loaded, clients ask for
   `labels/canary`.
2. When it is good, deploy with `model.stable` set to it and `model.canary = 0`.

Back: `model.stable` set to the old version, or `kubectl rollout undo`. Kubernetes starts the new
replicas before the old ones go, and gives these {drain} s to finish. At SIGTERM TensorFlow Serving
drops what it is answering: a plain `docker stop` loses the requests that are under way.
"""


def _docker_run(deployment: Deployment, *, gpu: bool) -> str:
    server = deployment.settings.server
    arguments = [
        f"docker run --rm --init{' --gpus all' if gpu else ''}",
        f"-p 127.0.0.1:{server.port}:{server.port}",
        f"-p 127.0.0.1:{server.rest_api_port}:{server.rest_api_port}",
        f'--mount type=bind,source="$PWD/models",target={MODELS_FOLDER},readonly',
        f'--mount type=bind,source="$PWD/config",target={CONFIG_FOLDER},readonly',
        f"--entrypoint {BINARY}",
        f"tensorflow/serving:{deployment.base_tag(gpu=gpu)}",
        *list_flags(deployment),
    ]
    return " \\\n  ".join(arguments)


def _docker_build(deployment: Deployment, *, gpu: bool) -> str:
    argument = f" --build-arg TF_SERVING_TAG={deployment.base_tag(gpu=True)}" if gpu else ""
    server, image = deployment.settings.server, deployment.image(gpu=gpu)
    ports = " ".join(f"-p 127.0.0.1:{port}:{port}" for port in (server.port, server.rest_api_port))
    return (
        f"docker build{argument} -t {image} .\n"
        f"docker run --rm --init{' --gpus all' if gpu else ''} {ports} {image}"
    )


def _compose(deployment: Deployment) -> str:
    text = """\
The same with Compose, which keeps it running:

```bash
docker compose up --build --detach                         # CPU
docker compose -f compose.gpu.yaml up --build --detach     # GPU
"""
    if deployment.settings.monitoring.enable:
        text += (
            "docker compose --profile monitoring up --build --detach    # with Prometheus, :9090\n"
        )
    return text + "```"


def _ask(deployment: Deployment) -> str:
    url = f"http://127.0.0.1:{deployment.settings.server.rest_api_port}{deployment.status_path}"
    row = {spec.name: _EXAMPLES.get(spec.kind, "red mug") for spec in deployment.served.inputs}
    return f"curl {url}\ncurl {url}:predict -d '{json.dumps({'instances': [row]})}'"
