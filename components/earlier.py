"""Artifacts of earlier runs that a run reads."""

from __future__ import annotations

from components.artifact import Artifact
from components.metadata import Metadata
from components.pipeline import Behind, Latest, Output


def find_earlier(metadata: Metadata, source: Latest | Behind, own: Artifact) -> Artifact | None:
    """Returns what a source means, or `None` where there is no such artifact any more.

    Args:
        metadata: Of all runs.
        source: What is wanted.
        own: Its `unless`. What equals it does not count, and the one before it is
            meant: so a run that is repeated finds what it found the first time.
    """
    latest = source if isinstance(source, Latest) else source.latest
    for execution in reversed(metadata.executions(node=latest.node)):
        made = metadata.outputs(execution.id).get(latest.output)
        artifact = metadata.inputs(execution.id).get(latest.read)
        if made is None or made.properties.get("empty"):
            continue
        if isinstance(source, Behind):
            artifact = _find_behind(metadata, artifact, source.read, source.then)
        compared = artifact
        if latest.compared:
            compared = _find_behind(metadata, artifact, latest.compared, None)
        if artifact and artifact.uri.is_dir() and not _equals(compared, own):
            return artifact
    return None


def _find_behind(
    metadata: Metadata, artifact: Artifact | None, read: str, then: Output | None
) -> Artifact | None:
    maker = metadata.maker(artifact.id) if artifact else None
    found = metadata.inputs(maker.id).get(read) if maker else None
    if found is None or then is None:
        return found
    for execution in reversed(metadata.executions(node=then.node)):
        read_there = {other.id for other in metadata.inputs(execution.id).values()}
        made = metadata.outputs(execution.id).get(then.name)
        if found.id in read_there and made:
            return made
    return None


def _equals(artifact: Artifact | None, own: Artifact) -> bool:
    return artifact is not None and artifact.fingerprint == own.fingerprint
