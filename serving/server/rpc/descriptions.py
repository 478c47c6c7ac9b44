"""Status and metadata of models, as messages and as TF Serving's JSON."""

from __future__ import annotations

import json

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.server.models import Models
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import Version

SIGNATURE_DEF = "signature_def"


def describe_status(
    models: Models, name: str, number: int | None, label: str | None
) -> get_model_status_pb2.GetModelStatusResponse:
    """Returns the states of one version, or of all that there are and were.

    Raises:
        ServingError: if there is none; in TF Serving's words.
    """
    model = models.by_name.get(name)
    versions = dict(sorted(model.versions.items(), reverse=True)) if model else {}
    if label is not None and model is not None:
        labelled = dict(model.settings.labels).get(label)
        if labelled is None:
            raise invalid(f"Unrecognized servable version label: {label}")
        number = labelled
    if number is not None:
        if number not in versions:
            raise ServingError(Code.NOT_FOUND, f"Could not find version {number} of model {name}")
        versions = {number: versions[number]}
    if not versions:
        raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in versions.values():
        status = response.model_version_status.add(version=version.number, state=int(version.state))
        status.status.SetInParent()
        if version.error is not None:
            status.status.error_code = int(version.error.code)
            status.status.error_message = version.error.message
    return response


def describe_metadata(
    name: str, version: Version
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Returns the signatures of a version."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = version.number
    response.metadata[SIGNATURE_DEF].Pack(_signatures(version))
    return response


def status_json(models: Models, name: str, number: int | None, label: str | None) -> bytes:
    """Writes `describe_status`."""
    message = describe_status(models, name, number, label)
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return text.encode()


def metadata_json(name: str, version: Version) -> bytes:
    """Writes `describe_metadata`: the signatures in place of the packed message."""
    response = describe_metadata(name, version)
    options = {
        "preserving_proto_field_name": True,
        "always_print_fields_with_no_presence": True,
    }
    document = {
        "model_spec": json_format.MessageToDict(response.model_spec, **options),
        "metadata": {SIGNATURE_DEF: json_format.MessageToDict(_signatures(version), **options)},
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _signatures(version: Version) -> get_model_metadata_pb2.SignatureDefMap:
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in version.signature_defs.items():
        found.signature_def[name].CopyFrom(definition)
    return found
