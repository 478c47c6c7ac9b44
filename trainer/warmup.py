"""Requests that TF Serving answers to itself before it answers anyone else."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from trainer.inputs import InputSpec
from trainer.registry import MODALITIES

WARMUP_FILE = "tf_serving_warmup_requests"
"""In `assets.extra/`, where TF Serving looks for it."""

_SIDE = 320
_TEXT = (
    "Wireless desk lamp with dimmer\n"
    "A lamp of brushed aluminium for the desk, with warm and cold light, USB-C and a clip. 台灯"
)
_EXAMPLES = {"text": _TEXT.encode(), "category": b"white", "number": 49.9}


def write_warmup(path: Path, inputs: Sequence[InputSpec], max_batch: int) -> None:
    """Writes a TFRecord file of `PredictionLog`, as TF Serving's warm-up wants it.

    `serving_default` is asked with batches of 1, 2, 4 ... up to the largest that
    the model takes, `features`, `explain` and `health` with one product: their
    first call costs most. Every second product is complete, of every fourth one
    input is absent, the others have nothing.

    Args:
        path: File to write.
        inputs: Of the model.
        max_batch: int.
    """
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, size in [
            *(("serving_default", size) for size in batch_sizes(max_batch)),
            ("features", 1),
            ("explain", 1),
        ]:
            writer.write(_log(signature, dict(_columns(inputs, size))))
        writer.write(_log("health", {"probe": tf.make_tensor_proto([b""], tf.string)}))


def batch_sizes(max_batch: int) -> list[int]:
    """Returns the powers of two up to a batch size, and that size."""
    powers = [2**power for power in range(int(math.log2(max_batch)) + 1)]
    return sorted({*powers, max_batch})


def _columns(inputs: Sequence[InputSpec], size: int) -> Iterator[tuple[str, Any]]:
    import tensorflow as tf

    for place, spec in enumerate(inputs):
        modality = MODALITIES.get(spec.kind)
        example = (
            _draw_lamp() if spec.kind == "image" else _EXAMPLES.get(spec.kind, modality.absent)
        )
        values = [
            example
            if row % 2 == 0 or (row % 4 == 1 and place != row // 4 % len(inputs))
            else modality.absent
            for row in range(size)
        ]
        yield spec.name, tf.make_tensor_proto(values, modality.dtype)


def _log(signature: str, values: dict[str, Any]) -> bytes:
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, value in values.items():
        request.inputs[name].CopyFrom(value)
    log = prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
    return log.SerializeToString(deterministic=True)


def _draw_lamp() -> bytes:
    """Returns a JPEG of the size of a shop's picture, of a few kilobytes."""
    picture = Image.new("RGB", (_SIDE, _SIDE), "white")
    pen = ImageDraw.Draw(picture)
    pen.polygon([(110, 60), (210, 60), (250, 150), (70, 150)], fill=(220, 170, 60))
    pen.line([(160, 150), (160, 260)], fill=(60, 60, 70), width=12)
    pen.ellipse([(90, 250), (230, 285)], fill=(60, 60, 70))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=75)
    return buffer.getvalue()
