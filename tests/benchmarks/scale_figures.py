"""What `scale.py` has measured, and what follows from it for ten million products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from table import print_table

_MILLIONS = 10
_CORES = 8


@dataclass(frozen=True)
class Measured:
    """What one step took.

    Args:
        step: str.
        pictures: Of which size.
        products: int.
        workers: int. 0: this process.
        seconds: Of the whole step.
        plan_seconds: Of that, what one process does beside the shards.
        read_seconds: What the runner takes before, to fingerprint the table and its pictures.
        cpu_seconds: Of all processes that do shards.
        driver_memory: Bytes, the most that the process held that runs the step.
        worker_memory: Bytes, the most that any worker held.
    """

    step: str
    pictures: str
    products: int
    workers: int
    seconds: float
    plan_seconds: float
    read_seconds: float
    cpu_seconds: float
    driver_memory: int
    worker_memory: int

    @property
    def rate(self) -> float:
        """Products per second."""
        return self.products / self.seconds


def project(found: list[Measured], machines: list[int]) -> list[dict[str, Any]]:
    """Returns hours for ten million products by step and number of machines.

    Assumes that the shards of a step share nothing, so that its processor time is divided by the
    cores; that a second worker costs as much again as was measured here; that the file system
    gives all machines the pictures as fast as this one's cache; and that what one process does,
    fingerprints of all pictures and the plan, grows with the products. Fingerprints of pictures
    that have not changed are known the next time.
    """
    projected = []
    for step in dict.fromkeys(one.step for one in found):
        own = {one.workers: one for one in found if one.step == step and one.pictures != "tiny"}
        one, many = own[min(w for w in own if w)], own[max(own)]
        scale = _MILLIONS * 1e6 / one.products
        plan = max(
            (m for m in found if m.step == step and m.pictures == "tiny"),
            key=lambda m: (m.products, -m.workers),
        )
        planned = plan.plan_seconds * _MILLIONS * 1e6 / plan.products + one.read_seconds * scale
        overhead = many.cpu_seconds / one.cpu_seconds
        for number in machines:
            work = one.cpu_seconds * overhead * scale / (number * _CORES)
            projected.append(
                {
                    "step": step,
                    "machines": number,
                    "alone_hours": planned / 3600,
                    "shard_hours": work / 3600,
                }
            )
    return projected


def show(found: list[Measured], projected: list[dict[str, Any]]) -> None:
    """Prints tables."""
    header = ["step", "pictures", "products", "workers", "products/s", "CPU ms a product"]
    header += ["plan s", "driver MB", "worker MB"]
    print_table(
        header,
        [
            [
                one.step,
                one.pictures,
                f"{one.products:,}",
                str(one.workers or "in-process"),
                f"{one.rate:,.0f}",
                f"{1000 * one.cpu_seconds / one.products:.2f}",
                f"{one.plan_seconds:.1f}",
                f"{one.driver_memory / 1e6:,.0f}",
                f"{one.worker_memory / 1e6:,.0f}",
            ]
            for one in found
        ],
    )
    print(f"\n{_MILLIONS} million products with pictures of 20 kB, {_CORES} cores a machine:\n")
    print_table(
        ["step", "machines", "one process, hours", "shards, hours"],
        [
            [
                one["step"],
                str(one["machines"]),
                f"{one['alone_hours']:.2f}",
                f"{one['shard_hours']:.2f}",
            ]
            for one in projected
        ],
    )


def growth(found: list[Measured]) -> float:
    """Returns by how much the memory of a worker grew from the smallest to the largest table."""
    ratios = [1.0]
    for step in {one.step for one in found}:
        for number in {one.workers for one in found if one.workers}:
            own = [
                one
                for one in found
                if one.step == step and one.workers == number and one.pictures == "tiny"
            ]
            own.sort(key=lambda one: one.products)
            ratios.append(own[-1].worker_memory / own[0].worker_memory)
    return max(ratios)
