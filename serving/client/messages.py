"""The few messages of TensorFlow Serving's gRPC protocol that a client needs.

The official classes come with TensorFlow: five seconds and gigabytes. These
are built from the declaration below in a pool of their own, so that they may
live in one process with the official ones. Field numbers and types are those
of the protocol; fields that are left out are skipped on reading. Enumerations
are int32 here, which is the same on the wire.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_DECLARATION = {
    "google.protobuf": """
        Int64Value: int64 value = 1
        Any: string type_url = 1; bytes value = 2
    """,
    "tensorflow": """
        TensorShapeProto: repeated tensorflow.TensorShapeProto.Dim dim = 2; bool unknown_rank = 3
        TensorShapeProto.Dim: int64 size = 1; string name = 2
        TensorProto: int32 dtype = 1; tensorflow.TensorShapeProto tensor_shape = 2;
            int32 version_number = 3; bytes tensor_content = 4; repeated float float_val = 5;
            repeated double double_val = 6; repeated int32 int_val = 7;
            repeated bytes string_val = 8; repeated int64 int64_val = 10;
            repeated bool bool_val = 11; repeated int32 half_val = 13
        TensorInfo: string name = 1; int32 dtype = 2; tensorflow.TensorShapeProto tensor_shape = 3
        SignatureDef: map tensorflow.TensorInfo inputs = 1; map tensorflow.TensorInfo outputs = 2;
            string method_name = 3
    """,
    "tensorflow.serving": """
        ModelSpec: string name = 1; google.protobuf.Int64Value version = 2;
            string signature_name = 3; string version_label = 4
        PredictRequest: tensorflow.serving.ModelSpec model_spec = 1;
            map tensorflow.TensorProto inputs = 2; repeated string output_filter = 3
        PredictResponse: map tensorflow.TensorProto outputs = 1;
            tensorflow.serving.ModelSpec model_spec = 2
        SignatureDefMap: map tensorflow.SignatureDef signature_def = 1
        GetModelMetadataRequest: tensorflow.serving.ModelSpec model_spec = 1;
            repeated string metadata_field = 2
        GetModelMetadataResponse: tensorflow.serving.ModelSpec model_spec = 1;
            map google.protobuf.Any metadata = 2
        StatusProto: int32 error_code = 1; string error_message = 2
        ModelVersionStatus: int64 version = 1; int32 state = 2;
            tensorflow.serving.StatusProto status = 3
        GetModelStatusRequest: tensorflow.serving.ModelSpec model_spec = 1
        GetModelStatusResponse:
            repeated tensorflow.serving.ModelVersionStatus model_version_status = 1
    """,
}
"""By package, in the order in which they need each other: messages and their fields."""
_MESSAGE = re.compile(r"([\w.]+):([^:]*)(?=\n\s+[\w.]+:|\Z)")
_FIELD = re.compile(r"(?:(repeated|map) )?([\w.]+) (\w+) = (\d+)")
_Field = descriptor_pb2.FieldDescriptorProto


def _build() -> dict[str, Any]:
    """Returns the message classes by full name."""
    pool = descriptor_pool.DescriptorPool()
    packages: list[str] = []
    messages: dict[str, descriptor_pb2.DescriptorProto] = {}
    for package, text in _DECLARATION.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=package, package=package, syntax="proto3", dependency=packages
        )
        for name, fields in _MESSAGE.findall(text):
            outer, _, own = name.rpartition(".")
            holder = messages[f"{package}.{outer}"].nested_type if outer else file.message_type
            message = messages[f"{package}.{name}"] = holder.add(name=own)
            for kind, type_name, field, number in _FIELD.findall(fields):
                _add_field(message, f"{package}.{name}", kind, type_name, field, int(number))
        pool.Add(file)
        packages.append(package)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in messages
    }


def _add_field(
    message: descriptor_pb2.DescriptorProto,
    full_name: str,
    kind: str,
    type_name: str,
    name: str,
    number: int,
) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind:
        field.label = _Field.LABEL_REPEATED
    if kind == "map":
        entry_name = f"{name.title().replace('_', '')}Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _add_field(entry, "", "", "string", "key", 1)
        _add_field(entry, "", "", type_name, "value", 2)
        type_name = f"{full_name}.{entry_name}"
    if "." in type_name:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{type_name}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{type_name.upper()}")


MESSAGES = _build()
"""Message classes by full name, such as `"tensorflow.serving.PredictRequest"`."""
TensorProto = MESSAGES["tensorflow.TensorProto"]
ModelSpec = MESSAGES["tensorflow.serving.ModelSpec"]
PredictRequest = MESSAGES["tensorflow.serving.PredictRequest"]
PredictResponse = MESSAGES["tensorflow.serving.PredictResponse"]
SignatureDefMap = MESSAGES["tensorflow.serving.SignatureDefMap"]
GetModelMetadataRequest = MESSAGES["tensorflow.serving.GetModelMetadataRequest"]
GetModelMetadataResponse = MESSAGES["tensorflow.serving.GetModelMetadataResponse"]
GetModelStatusRequest = MESSAGES["tensorflow.serving.GetModelStatusRequest"]
GetModelStatusResponse = MESSAGES["tensorflow.serving.GetModelStatusResponse"]
