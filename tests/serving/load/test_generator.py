from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from serving.load.generator import send_all
from serving.load.summary import format_table, over_time, percentiles, summarise, was_late


class Station:
    """Answers after some time; stands still between two moments."""

    def __init__(self, seconds=0.0, stall=(0.0, 0.0), kind="ok"):
        self.seconds, self.stall, self.kind = seconds, stall, kind
        self.bodies, self.begin = [], None

    async def send(self, body):
        self.begin = self.begin or time.perf_counter()
        self.bodies.append(body)
        now = time.perf_counter() - self.begin
        await asyncio.sleep(self.seconds)
        if self.stall[0] <= now < self.stall[1]:
            await asyncio.sleep(self.stall[1] - now)
        return self.kind


def run(sender, arrivals, max_in_flight=1000, bodies=(b"a", b"b")):
    return asyncio.run(send_all(sender, bodies, np.asarray(arrivals), 0, max_in_flight))


def test_requests_leave_on_time_and_are_all_answered():
    arrivals = np.arange(100) * 0.005
    station = Station(0.01)
    outcome = run(station, arrivals)
    assert outcome.kind == ["ok"] * 100
    assert set(station.bodies) == {b"a", b"b"}
    assert (outcome.sent >= arrivals).all()
    assert (outcome.latency >= 0.009).all()
    assert 0 <= np.median(outcome.lag) < 0.01
    assert outcome.seconds >= arrivals[-1] + 0.01
    assert outcome.cpu > 0


def test_a_server_that_stands_still_is_not_flattered():
    """A generator that waits for answers would see one slow request; customers saw a hundred."""
    outcome = run(Station(stall=(0.2, 0.7)), np.arange(200) * 0.005)
    assert (outcome.latency > 0.25).sum() == pytest.approx(50, abs=10)


def test_what_an_own_delay_costs_is_in_the_latency_and_in_the_lag():
    class Blocking(Station):
        async def send(self, body):
            time.sleep(0.02)  # as a generator that is short of CPU
            return "ok"

    outcome = run(Blocking(), np.arange(20) * 0.001)
    assert outcome.lag.max() > 0.2
    assert outcome.latency.max() > 0.3
    assert was_late(outcome)
    assert not was_late(run(Station(0.1), np.arange(20) * 0.01))


def test_requests_beyond_the_bound_are_not_sent_but_counted():
    outcome = run(Station(0.3), np.arange(20) * 0.001, max_in_flight=5)
    assert outcome.kind.count("not sent: 5 in flight") == 15
    figures = summarise(1000, 1, outcome, None)
    assert figures["answered"] == 5
    assert figures["errors"] == {"not sent: 5 in flight": 15}
    assert figures["error_latency_ms"] is None


def test_figures_of_one_rate():
    outcome = run(Station(0.02), np.arange(50) * 0.004)
    outcome.kind[10] = "503 UNAVAILABLE"
    figures = summarise(250, 4, outcome, None)
    assert figures["requests"] == 50
    assert figures["answered"] == 49
    assert figures["latency_ms"]["p50"] >= 19
    assert (
        figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"] <= figures["latency_ms"]["max"]
    )
    assert figures["requests_per_second"] == pytest.approx(49 / outcome.seconds)
    assert figures["rows_per_second"] == pytest.approx(4 * 49 / outcome.seconds)
    assert figures["errors"] == {"503 UNAVAILABLE": 1}
    assert figures["server"] is None
    lines = format_table([figures]).splitlines()
    assert lines[0].split()[:3] == ["offered/s", "ok/s", "p50"]
    assert lines[1].split()[0] == "250"
    assert lines[1].split()[7:10] == ["1", "-", "-"]


def test_percentiles_are_in_milliseconds():
    found = percentiles(np.array([0.001, 0.002, np.nan, 0.003]))
    assert found["p50"] == pytest.approx(2)
    assert found["max"] == pytest.approx(3)
    assert percentiles(np.array([np.nan])) is None


def test_parts_of_the_time_hold_what_was_to_be_sent_in_them():
    outcome = run(Station(0.001), np.concatenate([np.arange(10) * 0.01, [1.5, 2.0]]))
    outcome.kind[-1] = "no connection"
    parts = over_time(outcome)
    assert [part["requests"] for part in parts] == [10, 2]
    assert [part["errors"] for part in parts] == [0, 1]
    assert parts[1]["second"] == pytest.approx(1.5)
