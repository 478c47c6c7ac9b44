import asyncio
import threading

import numpy as np
import pytest

from serving.server.batching import Batcher
from serving.server.signature import Signature, TensorSpec
from serving.server.status import Code, ServingError
from serving.server.workers import Workers

SPEC = TensorSpec("x", np.dtype(np.float32), "float", (None,))


class Model:
    """Doubles its input, and can be held back."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.runs = []
        outputs = {"y": TensorSpec("y", np.dtype(np.float32), "float", (None,))}
        self.signature = Signature("s", {"x": SPEC}, outputs, "", self.call)

    def call(self, arrays):
        self.gate.wait(10)
        self.runs.append(len(arrays["x"]))
        if (arrays["x"] < 0).any():
            raise ServingError(Code.INVALID_ARGUMENT, "negative")
        return {"y": arrays["x"] * 2}


def rows(*values):
    return {"x": np.array(values, np.float32)}


def run(test, *, threads=1, **options):
    """Runs a test with a batcher of a model."""

    async def main():
        loop = asyncio.get_running_loop()
        model = Model()
        workers = Workers(threads, loop)
        batcher = Batcher(
            model.signature, workers, **{"max_batch": 8, "limit": 4, "queue": 4, **options}
        )
        try:
            await test(model, batcher, lambda seconds=10: loop.time() + seconds)
        finally:
            model.gate.set()
            workers.stop()

    asyncio.run(main())


def test_what_waits_runs_together_up_to_the_limit():
    async def test(model, batcher, after):
        model.gate.clear()
        first = batcher.submit(rows(1), after())
        await asyncio.sleep(0)
        others = [batcher.submit(rows(at), after()) for at in range(2, 8)]
        model.gate.set()
        answers = await asyncio.gather(first, *others)
        assert [answer["y"].tolist() for answer in answers] == [[2.0 * at] for at in range(1, 8)]
        assert model.runs == [1, 4, 2]

    run(test)


def test_a_bad_request_does_not_fail_the_others():
    async def test(model, batcher, after):
        model.gate.clear()
        futures = [batcher.submit(rows(value), after()) for value in (2, -1, 3)]
        model.gate.set()
        answers = await asyncio.gather(*futures, return_exceptions=True)
        assert [answer["y"].tolist() for answer in answers[::2]] == [[4], [6]]
        assert answers[1].code == Code.INVALID_ARGUMENT
        assert model.runs == [3, 1, 1, 1]

    run(test)


def test_a_request_above_the_limit_runs_alone_and_above_the_maximum_not_at_all():
    async def test(model, batcher, after):
        answer = await batcher.submit(rows(*range(8)), after())
        assert answer["y"].tolist() == [2.0 * at for at in range(8)]
        with pytest.raises(ServingError, match="Task size 9 is larger than maximum input") as e:
            batcher.submit(rows(*range(9)), after())
        assert e.value.code == Code.INVALID_ARGUMENT

    run(test)


def fill(batcher, after, rows_each=1):
    """Submits until the next would be refused; returns the futures."""
    futures = []
    while not batcher.full:
        futures.append(batcher.submit(rows(*[1.0] * rows_each), after()))
    return futures


def test_a_full_queue_refuses_at_once():
    async def test(model, batcher, after):
        model.gate.clear()
        futures = fill(batcher, after)
        assert len(futures) == (4 + 1) * 4  # what waits, and what the thread will run
        await asyncio.sleep(0)
        assert batcher.full  # no matter what of it runs by now
        with pytest.raises(
            ServingError, match="queue to which this task was submitted is full"
        ) as e:
            batcher.submit(rows(1), after())
        assert e.value.code == Code.UNAVAILABLE
        model.gate.set()
        await asyncio.gather(*futures)
        # Just refused: half the queue is left, until a second has passed without.
        model.gate.clear()
        futures = fill(batcher, after)
        assert len(futures) == (2 + 1) * 4
        await asyncio.sleep(1.05)
        futures += fill(batcher, after)
        assert len(futures) == (4 + 1) * 4
        model.gate.set()
        await asyncio.gather(*futures)
        assert not batcher.full
        assert batcher.queued == batcher.queued_rows == 0

    run(test)


@pytest.mark.parametrize(
    ("threads", "limit", "rows_each", "accepted"),
    [(1, 1, 1, 16), (2, 1, 1, 16), (2, 4, 1, 16), (2, 8, 1, 32), (20, 1, 1, 40), (2, 4, 8, 4)],
)
def test_a_queue_that_is_not_told_its_length(threads, limit, rows_each, accepted):
    async def test(model, batcher, after):
        model.gate.clear()
        futures = fill(batcher, after, rows_each)
        assert len(futures) == accepted
        model.gate.set()
        await asyncio.gather(*futures)

    run(test, threads=threads, limit=limit, queue=0)


def test_expired_and_cancelled_requests_are_dropped_before_they_run():
    async def test(model, batcher, after):
        model.gate.clear()
        first = batcher.submit(rows(1), after())
        await asyncio.sleep(0)
        late = batcher.submit(rows(2), after(0.02))
        gone = batcher.submit(rows(3), after())
        kept = batcher.submit(rows(4), after())
        gone.cancel()
        with pytest.raises(ServingError) as error:
            await late
        assert error.value.code == Code.DEADLINE_EXCEEDED
        assert batcher.queued == 1
        model.gate.set()
        await first
        assert (await kept)["y"].tolist() == [8.0]
        assert model.runs == [1, 1]

    run(test)


def test_a_timeout_waits_for_more():
    async def test(model, batcher, after):
        loop = asyncio.get_running_loop()
        started = loop.time()
        futures = [batcher.submit(rows(1), after())]
        await asyncio.sleep(0.01)
        futures.append(batcher.submit(rows(2), after()))
        await asyncio.gather(*futures)
        assert model.runs == [2]
        assert loop.time() - started >= 0.1
        started = loop.time()
        await asyncio.gather(*[batcher.submit(rows(at), after()) for at in range(4)])
        assert loop.time() - started < 0.1  # a full batch waits no longer

    run(test, timeout=0.1)


def test_a_short_run_is_waited_for():
    async def test(model, batcher, after):
        futures = [batcher.submit(rows(1), after())]
        await asyncio.sleep(0)  # one of the threads has it
        futures += [batcher.submit(rows(at), after()) for at in range(2, 8)]
        await asyncio.gather(*futures)
        assert model.runs == [1, 6]

    run(test, threads=2, limit=8)


def test_a_long_run_is_not_waited_for():
    async def test(model, batcher, after):
        batcher._seconds = 0.1
        model.gate.clear()
        futures = [batcher.submit(rows(1), after())]
        await asyncio.sleep(0)
        futures += [batcher.submit(rows(2), after())]
        await asyncio.sleep(0)
        assert batcher.queued == 0
        model.gate.set()
        await asyncio.gather(*futures)

    run(test, threads=2, limit=8)


def test_two_sources_take_turns():
    async def test(model, batcher, after):
        other = Model()
        second = Batcher(other.signature, batcher._workers, max_batch=8, limit=1, queue=16)
        order = []
        for name, each in (("first", model), ("second", other)):
            call = each.signature.call

            def record(arrays, name=name, call=call):
                order.append(name)
                return call(arrays)

            object.__setattr__(each.signature, "call", record)
        model.gate.clear()
        futures = [batcher.submit(rows(at), after()) for at in range(4)]
        futures += [second.submit(rows(at), after()) for at in range(4)]
        model.gate.set()
        await asyncio.gather(*futures)
        assert order == ["first", "second"] * 4

    run(test, limit=1, queue=16)


def test_inputs_of_differing_rows_are_refused():
    async def test(model, batcher, after):
        model.signature.inputs["z"] = SPEC
        with pytest.raises(ServingError, match="equal 0th-dimension size"):
            batcher.submit({**rows(1), "z": np.zeros(2, np.float32)}, after())
        del model.signature.inputs["z"]

    run(test)
