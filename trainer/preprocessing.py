"""Raw values of products to the tensors that the network reads, in graph operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.inputs import InputSpec
from trainer.registry import ENCODERS, MODALITIES


@dataclass(frozen=True)
class Branch:
    """One encoder that reads one input. Several may read the same input."""

    name: str
    input: InputSpec
    encoder_name: str
    options: Mapping[str, Any]
    encoder: Encoder

    def learns(self, encoder_epochs: int) -> bool:
        """Says whether training changes the encoder, in the first stage or in the second."""
        trains = self.encoder.method.trains
        return trains and (not self.encoder.pretrained or encoder_epochs > 0)


def build_branches(
    inputs: Sequence[InputSpec], encoders: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> tuple[Branch, ...]:
    """Makes the encoders of a configuration for the inputs of a table.

    Args:
        inputs: What the table offers.
        encoders: Modality to encoder to options; modalities without inputs
            are passed over.

    Raises:
        ValueError: for an unknown encoder or option, an encoder of another
            modality, a tuning method or an adapter that does not fit, an input
            that no encoder reads, or no input at all.
        FileNotFoundError: if there is no such adapter file.
    """
    branches = []
    for spec in inputs:
        chosen = encoders.get(spec.kind, {})
        if not chosen:
            raise ValueError(
                f"No encoder reads the {spec.kind} input {spec.name!r}. Leave out its columns "
                f"{list(spec.columns)} with --ignore, or set model.encoders.{spec.kind}."
            )
        for encoder_name, options in chosen.items():
            member = ENCODERS.get(encoder_name)
            if member.modality != spec.kind:
                raise ValueError(
                    f"Encoder {encoder_name!r} reads {member.modality}, not {spec.kind}. "
                    f"Received: model.encoders.{spec.kind}.{encoder_name}."
                )
            name = f"{spec.name}_{encoder_name}"
            at = f"model.encoders.{spec.kind}.{encoder_name}"
            encoder = ENCODERS.make(encoder_name, options, at=at, name=name)
            encoder.check_adapter()
            branches.append(Branch(name, spec, encoder_name, dict(options), encoder))
    if not branches:
        raise ValueError(
            "No column tells the products apart: no picture, text, number or category was found. "
            "Name one with --set data.columns.NAME=KIND."
        )
    return tuple(branches)


def present_name(input_name: str) -> str:
    """Returns the name of the tensor that says which rows have an input."""
    return f"{input_name}_present"


def raw_specs(inputs: Sequence[InputSpec]) -> dict[str, tf.TensorSpec]:
    """Returns the signature of raw values: `(batch,)` strings or float32 by input name."""
    return {
        spec.name: tf.TensorSpec([None], MODALITIES.get(spec.kind).dtype, name=spec.name)
        for spec in inputs
    }


def raw_values(
    inputs: Sequence[InputSpec], rows: Sequence[Mapping[str, bytes | float]]
) -> dict[str, tf.Tensor]:
    """Returns the raw values of some products `(batch,)` by input name."""
    return {
        spec.name: tf.constant([row[spec.name] for row in rows], MODALITIES.get(spec.kind).dtype)
        for spec in inputs
    }


@tf.autograph.experimental.do_not_convert
def preprocess(branches: Sequence[Branch], raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Runs the preprocessing of all branches.

    Args:
        branches: The encoders.
        raw: Raw values `(batch,)` by input name.

    Returns:
        Tensors by name, those of `present_name` among them, each with a leading
        batch axis.
    """
    tensors: dict[str, tf.Tensor] = {}
    for branch in branches:
        values = raw[branch.input.name]
        tensors.update(branch.encoder.preprocess(values))
        modality = MODALITIES.get(branch.input.kind)()
        tensors[present_name(branch.input.name)] = modality.present(values)
    return tensors
