"""What a tuning method trained of an encoder, in a small file beside the base weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.files import new_file

if TYPE_CHECKING:
    import keras

_METADATA = "taxofuse"


@dataclass(frozen=True)
class AdapterCard:
    """What an adapter file says of itself.

    Args:
        method: Name of the tuning method.
        options: All its options but the learning rate.
        base: Digest of the encoder's weights before it was tuned.
    """

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""

    @classmethod
    def load(cls, path: Path) -> AdapterCard:
        """Reads the card of an adapter file, and none of its weights.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no adapter file.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise FileNotFoundError(
                f"No adapter file at {path.absolute()}. A run that tunes an encoder writes "
                "adapters/ENCODER.safetensors into its workdir."
            )
        try:
            with safe_open(path, framework="np") as file:
                return cls(**json.loads((file.metadata() or {})[_METADATA]))
        except (SafetensorError, KeyError) as error:
            raise ValueError(f"Not an adapter file of taxofuse: {path}.") from error


def write_adapter(path: Path, model: keras.Model, card: AdapterCard) -> None:
    """Writes the trainable weights of an encoder as safetensors, whole or not at all."""
    from safetensors.numpy import save

    tensors = {name: weight.numpy() for name, weight in _named_weights(model).items()}
    card_text = json.dumps(vars(card), sort_keys=True)
    with new_file(path) as temporary:
        # Its own `save_file` lets nobody else read the file.
        temporary.write_bytes(save(tensors, {_METADATA: card_text}))


def load_adapter(path: Path, model: keras.Model, base: str) -> None:
    """Loads an adapter file into an encoder that the same method was applied to.

    Args:
        path: The file.
        model: Keras half of the encoder.
        base: Digest of its weights before the method was applied.

    Raises:
        ValueError: if the adapter is one of other base weights, or its tensors
            are not those that the method trains.
    """
    from safetensors.numpy import load_file

    card = AdapterCard.load(path)
    if card.base != base:
        raise ValueError(
            f"An adapter fits only the weights that it was trained on. {path} was trained on "
            f"weights of digest {card.base}. Received: {model.name!r} with weights of digest "
            f"{base}. Choose the encoder, its weights and its options as in the run that wrote it."
        )
    weights, tensors = _named_weights(model), load_file(path)
    expected = {name: tuple(weight.shape) for name, weight in weights.items()}
    received = {name: tensor.shape for name, tensor in tensors.items()}
    if expected != received:
        differing = sorted(set(expected.items()) ^ set(received.items()))
        raise ValueError(
            f"{path} does not hold what {card.method!r} trains of {model.name!r}. "
            f"These tensors differ: {differing[:6]}."
        )
    for name, weight in weights.items():
        weight.assign(tensors[name])


def _named_weights(model: keras.Model) -> dict[str, keras.Variable]:
    """Numbers the trainable weights: Keras numbers layers without a name anew in each process."""
    weights = enumerate(model.trainable_weights)
    return {f"{index:04d}/{weight.name}": weight for index, weight in weights}
