"""A SavedModel in a session of its own, as TF Serving holds it."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the tokenizer's operations
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import config_pb2

from serving.server.signature import Arrays, Signature, TensorSpec
from serving.server.status import Code, ServingError


class LoadedModel:
    """Signatures of a version folder, ready to be called from any thread.

    A session in place of `tf.saved_model.load`: it costs less for each call, and
    closing it frees graph and weights.

    Args:
        folder: Version folder.

    Raises:
        OSError, ValueError, RuntimeError, tf.errors.OpError: if it is no SavedModel
            with the tag `serve`, or does not load.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        graph = tf.Graph()
        # Each run stays in the thread that asks for it: handing every operation to a pool
        # costs a small model half as much again. Large operations still use all cores.
        config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=-1)
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, [tf.saved_model.SERVING], str(folder)
                )
            graph.finalize()
            self.signature_defs = dict(meta_graph.signature_def)
            self.signatures = {
                name: self._build(name, definition)
                for name, definition in self.signature_defs.items()
                if definition.inputs
            }
        except BaseException:
            self._session.close()
            raise

    def close(self) -> None:
        """Frees the graph and its weights, and hands the memory back to the system."""
        self.signatures = {}  # they hold parts of the session
        gc.collect()
        self._session.close()
        del self._session
        gc.collect()
        _trim()

    def _build(self, name: str, definition: Any) -> Signature:
        inputs = {key: _spec(key, info) for key, info in sorted(definition.inputs.items())}
        outputs = {key: _spec(key, info) for key, info in sorted(definition.outputs.items())}
        # `make_callable` with feeds goes the way of `Session.run`, which checks everything
        # again in Python: 0.18 ms a call, and this 0.02 ms.
        options = config_pb2.CallableOptions(
            feed=[definition.inputs[key].name for key in inputs],
            fetch=[definition.outputs[key].name for key in outputs],
        )
        run = self._session._make_callable_from_options(options)

        def call(arrays: Arrays) -> Arrays:
            try:
                values = run(*(arrays[key] for key in inputs))
            except tf.errors.OpError as error:
                raise ServingError(Code(error.error_code), error.message) from error
            return dict(zip(outputs, values, strict=True))

        return Signature(name, inputs, outputs, definition.method_name, call)


def _spec(name: str, info: Any) -> TensorSpec:
    dtype = tf.as_dtype(info.dtype)
    shape = info.tensor_shape
    return TensorSpec(
        name=name,
        dtype=np.dtype(object) if dtype == tf.string else np.dtype(dtype.as_numpy_dtype),
        dtype_name=types_pb2.DataType.Name(info.dtype).removeprefix("DT_").lower(),
        shape=None
        if shape.unknown_rank
        else tuple(None if dim.size < 0 else dim.size for dim in shape.dim),
    )


def _trim() -> None:
    # glibc keeps freed blocks of the size of weights; other C libraries lack the call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
