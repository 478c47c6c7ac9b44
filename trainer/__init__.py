"""taxofuse: multimodal product classification on TensorFlow and Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.classifier import ProductClassifier

__all__ = ["ProductClassifier"]


def __getattr__(name: str) -> Any:
    # Imported at first use: the command line must not wait for pandas.
    if name == "ProductClassifier":
        from trainer.classifier import ProductClassifier

        return ProductClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
