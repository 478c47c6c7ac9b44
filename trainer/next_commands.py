"""What a person would do with a trained model."""

from __future__ import annotations

import shlex


def next_commands(workdir: str) -> dict[str, str]:
    """Returns commands by purpose."""
    workdir = shlex.quote(workdir)
    return {
        "Predict": f"taxofuse predict --model {workdir} --data TABLE --out answers.csv",
        "Evaluate on other rows": f"taxofuse evaluate --model {workdir} --data TABLE --out DIR",
        "Watch the training": f"tensorboard --logdir {workdir}/logs",
    }
