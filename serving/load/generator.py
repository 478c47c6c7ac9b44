"""Sends requests at given times, whatever became of those before."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.load.senders import Sender


@dataclass
class Outcome:
    """What became of each request; all times are seconds from the start.

    Args:
        scheduled: float array. When it was to be sent.
        sent: float array. When it was; NaN if it was not.
        done: float array. When its answer or error was there; NaN if it was not sent.
        kind: `ok` or the kind of error.
        cpu: float. Seconds of the CPU that the generator itself took.
        seconds: float. From the start until the last one was done.
    """

    scheduled: np.ndarray
    sent: np.ndarray
    done: np.ndarray
    kind: list[str]
    cpu: float = 0.0
    seconds: float = 0.0
    _running: int = field(default=0, repr=False)

    @property
    def latency(self) -> np.ndarray:
        """Seconds from the scheduled time: what a customer waited, also for the generator."""
        return self.done - self.scheduled

    @property
    def lag(self) -> np.ndarray:
        """Seconds by which the generator was late, of the requests that were sent."""
        late = self.sent - self.scheduled
        return late[~np.isnan(late)]


async def send_all(
    sender: Sender, bodies: Sequence[bytes], arrivals: np.ndarray, seed: int, max_in_flight: int
) -> Outcome:
    """Sends one request an arrival and waits for all answers.

    Args:
        sender: Open.
        bodies: Drawn from with equal chances.
        arrivals: Seconds from the start, ascending.
        seed: int. Of the draw.
        max_in_flight: int. Requests beyond are not sent, and counted as errors:
            a server that answers nothing must not take the generator's memory.
    """
    count = len(arrivals)
    drawn = np.random.default_rng(seed).integers(0, len(bodies), count)
    nothing = np.full(count, np.nan)
    outcome = Outcome(arrivals, nothing, nothing.copy(), [""] * count)
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    all_started = asyncio.Event()
    clock = time.perf_counter
    gc.collect()
    begin = clock() + 0.05

    async def send(index: int) -> None:
        outcome.sent[index] = clock() - begin
        outcome.kind[index] = await sender.send(bodies[drawn[index]])
        outcome.done[index] = clock() - begin
        outcome._running -= 1

    def start(index: int) -> None:
        if outcome._running >= max_in_flight:
            outcome.kind[index] = f"not sent: {max_in_flight} in flight"
        else:
            outcome._running += 1
            tasks.append(loop.create_task(send(index)))
        if index + 1 == count:
            all_started.set()

    def keep_time() -> None:
        # A thread, as it sleeps to a tenth of a millisecond: an event loop only to a whole one.
        for index, arrival in enumerate(arrivals):
            if (left := begin + arrival - clock()) > 0:
                time.sleep(left)
            loop.call_soon_threadsafe(start, index)

    cpu = time.process_time()
    gc.disable()  # a collection would make some requests late
    try:
        threading.Thread(target=keep_time, name="arrivals", daemon=True).start()
        await all_started.wait()
        await asyncio.gather(*tasks)
    finally:
        gc.enable()
    outcome.cpu, outcome.seconds = time.process_time() - cpu, clock() - begin
    return outcome
