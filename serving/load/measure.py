"""Puts several rates of load on one server, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.client.address import check_address
from serving.client.client import Client
from serving.client.errors import ServingError
from serving.client.protocol import ModelName
from serving.load.arrivals import draw_arrivals
from serving.load.bodies import encode, read_products
from serving.load.generator import Outcome, send_all
from serving.load.senders import ANSWERED, make_sender
from serving.load.server_process import NotWatched, Watch, find_process
from serving.load.summary import summarise

_WARM_UP = 5


@dataclass(frozen=True)
class LoadPlan:
    """What is sent.

    Args:
        server: str. Address, as of `Client`.
        model: Who is asked.
        rates: Requests per second, one after the other.
        seconds: float. For each rate.
        batch: int. Rows a request.
        num_rows: int. Different rows of the table at most.
        signature: str.
        deadline: float. Seconds for one request.
        seed: int. Of arrivals and of the order of the rows.
        max_in_flight: int. Requests at once, beyond which none are sent.
    """

    server: str
    model: ModelName
    rates: tuple[float, ...]
    seconds: float
    batch: int = 1
    num_rows: int = 256
    signature: str = "serving_default"
    deadline: float = 10.0
    seed: int = 0
    max_in_flight: int = 4096

    def __post_init__(self) -> None:
        check_address(self.server)
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"Rates must be above 0. Received: {list(self.rates)}.")
        for name in ("seconds", "batch", "num_rows", "deadline", "max_in_flight"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be above 0. Received: {getattr(self, name)}.")


def measure(plan: LoadPlan, table: Path, pid: int | None, say: Callable[[str], None]) -> Any:
    """Puts the load of a plan on its server.

    Args:
        plan: What is sent.
        table: Products.
        pid: Process of the server, if it is known.
        say: Told what people should know.

    Returns:
        What `load.json` holds.

    Raises:
        ServingError: if the server does not answer at all.
        ValueError, FileNotFoundError: if table or process do not fit.
    """
    bodies = _prepare(plan, table, say)
    try:
        process, why = find_process(plan.server, pid), ""
    except NotWatched as error:
        process, why = None, str(error)
        say(f"CPU and memory of the server are left out: {why}.")
    figures = []
    for rate in plan.rates:
        watch = Watch(process) if process else None
        with watch or nullcontext():
            outcome = asyncio.run(_load(plan, bodies, rate))
        figures.append(summarise(rate, plan.batch, outcome, watch))
        if figures[-1]["generator"]["was_late"]:
            lag = figures[-1]["generator"]["lag_ms"]["p95"]
            say(
                f"At {rate:g}/s the generator itself was late (p95 of its lag {lag:.1f} ms): these "
                "latencies are not the server's alone. Run it on another machine, or ask for less."
            )
    sizes = [len(body) for body in bodies]
    return {
        "plan": {**asdict(plan), "rates": list(plan.rates), "table": str(table)},
        "body_bytes": {"mean": float(np.mean(sizes)), "max": max(sizes), "different": len(sizes)},
        "server_left_out": why,
        "rates": figures,
    }


def _prepare(plan: LoadPlan, table: Path, say: Callable[[str], None]) -> list[bytes]:
    """Returns bodies that the server was seen to answer."""
    model = plan.model
    with Client(
        plan.server,
        model=model.name,
        version=model.version,
        label=model.label,
        deadline=plan.deadline,
    ) as client:
        inputs = client.inputs()
    rows, bad = read_products(table, inputs, plan.num_rows)
    if bad:
        say(f"{bad} cells of {len(rows)} rows could not be read and are sent as absent.")
    scheme, _ = check_address(plan.server)
    bodies = encode(rows, inputs, model, plan.signature, plan.batch, scheme)
    asyncio.run(_warm_up(plan, bodies[:_WARM_UP]))
    return bodies


async def _warm_up(plan: LoadPlan, bodies: Sequence[bytes]) -> None:
    async with make_sender(plan.server, plan.model, plan.deadline) as sender:
        kinds = [await sender.send(body) for body in bodies]
    if ANSWERED not in kinds:
        raise ServingError(
            "FAILED_PRECONDITION",
            f"the server answered none of {len(kinds)} requests before the load: {kinds[0]}",
        )


async def _load(plan: LoadPlan, bodies: Sequence[bytes], rate: float) -> Outcome:
    arrivals = draw_arrivals(rate, plan.seconds, plan.seed)
    async with make_sender(plan.server, plan.model, plan.deadline) as sender:
        # The first connection is not a part of the first latency.
        await sender.send(bodies[0])
        return await send_all(sender, bodies, arrivals, plan.seed, plan.max_in_flight)
