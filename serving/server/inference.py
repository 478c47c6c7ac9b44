"""What REST and gRPC have in common once a request is read."""

from __future__ import annotations

import asyncio

from serving.server.calls import Call
from serving.server.signature import Arrays
from serving.server.versions import Version


async def predict(
    version: Version, signature_name: str, inputs: Arrays, deadline: float, call: Call
) -> Arrays:
    """Runs a signature.

    Args:
        version: Held by the caller.
        signature_name: str. One that the version has.
        inputs: By input name.
        deadline: On the loop's clock.
        call: Told the rows.

    Raises:
        ServingError: if the inputs do not fit, the queue is full, the deadline
            passes or the model refuses.
    """
    batcher = version.batchers[signature_name]
    batcher.signature.check(inputs)
    call.rows = batcher.signature.count_rows(inputs)
    return await batcher.submit(inputs, deadline)


def deadline_after(seconds: float) -> float:
    """Returns a point of time on the running loop's clock."""
    return asyncio.get_running_loop().time() + seconds
