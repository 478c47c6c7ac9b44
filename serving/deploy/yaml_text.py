"""YAML as people write it: no aliases, texts of several lines as blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def write_yaml(documents: Iterable[Any], comment: str) -> str:
    """Returns documents under a comment, keys in their own order.

    Args:
        documents: Plain values.
        comment: str. Lines that say what the file is and how it is used.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    body = yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"# {line}\n" for line in comment.splitlines()) + body
