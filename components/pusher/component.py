"""Makes a blessed model the live version of a folder that servers watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.artifact import INFRA_BLESSING, MODEL, MODEL_BLESSING, PUSHED_MODEL
from components.component import Component, Input
from components.pusher.pushed import read_pushed
from components.pusher.versions import Versions


@dataclass(frozen=True)
class Parameters:
    """Where to, and what stays there.

    Args:
        destination: Whole path of the folder of versions. A new one gets the lowest number
            above all others.
        keep: int. How many of the newest versions stay.
        pinned: Numbers of versions that stay beside these, such as those behind a label.
    """

    destination: str
    keep: int = 3
    pinned: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pinned", tuple(self.pinned))
        if not Path(self.destination).is_absolute():
            # Roll-backs and clean-ups, which find it in the metadata, start elsewhere.
            raise ValueError(
                "The Pusher needs the whole path of its folder. "
                f"Received: destination={self.destination!r}."
            )
        if self.keep < 1:
            raise ValueError(f"The Pusher keeps at least 1 version. Received: keep={self.keep}.")


def _still_there(parameters: Parameters, outputs: Mapping[str, Path]) -> bool:
    """Whether a version is where it was pushed to, or others came after it.

    What was live, replaced and removed since is not made live again by a run that finds
    nothing to do.
    """
    pushed = read_pushed(outputs["pushed_model"])
    if pushed is None:
        return True
    versions = Versions(Path(parameters.destination))
    return pushed.is_in(versions.path(pushed.version)) or pushed.version < versions.live()


COMPONENT = Component(
    name="Pusher",
    package=__package__,
    inputs={
        "model": Input(MODEL),
        "model_blessing": Input(MODEL_BLESSING, optional=True),
        "infra_blessing": Input(INFRA_BLESSING, optional=True),
    },
    outputs={"pushed_model": PUSHED_MODEL},
    parameters=Parameters,
    holds=_still_there,
)
