"""A SavedModel that is the same file whatever its process has done before."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

_FUNCTION = re.compile(r"[\w<>]+_(\d+)")
_COUNTER = re.compile(
    r"(?<=key_value_init)\d+|(?<=text_file_init)\d+|(?<=_)\d+(?=___redundant_placeholder)"
    r"|(?<=^=)\d+$"
)
"""Where it stands in names of other things. A shared resource has no other name; here `=`
stands before it, because the same digits elsewhere, in a path of variables, mean another thing."""
_TEXTS = {"tensorflow.AttrValue.s", "tensorflow.AttrValue.ListValue.s"}
"""Fields of bytes that hold texts."""
Visitor = Callable[[str], str]


def settle_saved_model(folder: Path) -> None:
    """Rewrites the graph with names that do not tell what was traced before it.

    TensorFlow ends the names of functions and of shared resources with a counter of the
    process, and lays functions down in the order of a hash of their names. Here they are
    numbered from 1 in the order in which they were traced, and sorted by name.
    """
    from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2
    from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        library = graph.graph_def.library
        names = {function.signature.name for function in library.function}
        counters = {int(found[1]) for name in names if (found := _FUNCTION.fullmatch(name))}
        _visit(graph, _counting(counters))
        _visit(graph, _renaming(names, counters))
        functions = sorted(library.function, key=lambda function: function.signature.name)
        del library.function[:]
        library.function.extend(functions)
    path.write_bytes(model.SerializeToString(deterministic=True))
    told = fingerprint_pb2.FingerprintDef.FromString(
        fingerprinting.CreateFingerprintDef(str(folder))
    )
    told.uuid = str(told.saved_model_checksum)  # else it is drawn
    (folder / "fingerprint.pb").write_bytes(told.SerializeToString(deterministic=True))


def _counting(counters: set[int]) -> Visitor:
    """Returns a function that notes the counters of resources in a text."""

    def note(text: str) -> str:
        counters.update(map(int, _COUNTER.findall(text)))
        return text

    return note


def _renaming(names: set[str], counters: set[int]) -> Visitor:
    """Returns a function that numbers functions and resources anew wherever they stand."""
    ranks = {counter: rank for rank, counter in enumerate(sorted(counters), 1)}

    def rename_function(found: re.Match[str]) -> str:
        if found[0] not in names:
            return found[0]
        return f"{found[0][: found.start(1) - found.start()]}{ranks[int(found[1])]}"

    def rename(text: str) -> str:
        text = _COUNTER.sub(lambda found: str(ranks[int(found[0])]), text)
        return _FUNCTION.sub(rename_function, text)

    return rename


def _visit(message: Message, rename: Visitor) -> None:
    """Renames in all texts of a message, those of keys of maps too."""
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            _visit_map(field, value, rename)
        elif field.type == field.TYPE_MESSAGE:
            for item in value if field.is_repeated else [value]:
                _visit(item, rename)
        elif field.type == field.TYPE_STRING or field.full_name in _TEXTS:
            if field.is_repeated:
                value[:] = [_rename_any(item, rename) for item in value]
            else:
                setattr(message, field.name, _rename_any(value, rename))


def _visit_map(field: Any, entries: Any, rename: Visitor) -> None:
    of_messages = field.message_type.fields_by_name["value"].type == field.TYPE_MESSAGE
    of_texts = field.message_type.fields_by_name["value"].type == field.TYPE_STRING
    for key in list(entries):
        if of_messages:
            _visit(entries[key], rename)
        elif of_texts:
            entries[key] = rename(entries[key])
    names = {key: rename(key) if isinstance(key, str) else key for key in entries}
    if all(new == key for key, new in names.items()):
        return
    # One by one, an entry would take the place of another whose turn is yet to come.
    values = {new: deepcopy(entries[key]) for key, new in names.items()}
    entries.clear()
    for new, value in values.items():
        if of_messages:
            entries[new].CopyFrom(value)
        else:
            entries[new] = value


def _rename_any(value: str | bytes, rename: Visitor) -> str | bytes:
    if isinstance(value, str):
        return rename(value)
    try:
        return rename(f"={value.decode()}")[1:].encode()
    except UnicodeDecodeError:
        return value
