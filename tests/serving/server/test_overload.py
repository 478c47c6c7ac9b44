"""Three times as much as can be answered."""

import asyncio
import json
import time

import aiohttp
import numpy as np
import psutil
import pytest

BODY = json.dumps({"instances": [{"image_bytes": "", "text": "red mug", "price": 2.5}]})


async def send(url, rate, seconds, seed):
    """Sends at Poisson times, however the answers come; returns `(status, seconds)` of each."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.exponential(1 / rate, int(rate * seconds)))
    results = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask():
            started = time.perf_counter()
            async with session.post(url, data=BODY) as response:
                await response.read()
                results.append((response.status, time.perf_counter() - started))

        loop = asyncio.get_running_loop()
        begun = loop.time()
        tasks = []
        for at in times:
            await asyncio.sleep(begun + at - loop.time())
            tasks.append(asyncio.create_task(ask()))
        await asyncio.gather(*tasks)
    return results


def quantile(results, status, share):
    return float(np.quantile([seconds for code, seconds in results if code == status], share))


@pytest.fixture
def heavy(write_toy, tmp_path):
    """Returns a base folder of a model of some 20 ms for each product."""
    write_toy(tmp_path / "base" / "1", work=200)
    return tmp_path / "base"


def test_beyond_capacity(start_process, heavy):
    # Not joined, as a large encoder: what can be answered does not grow with the queue.
    server = start_process(heavy, "--access-log", "", "--join", "1")
    url = f"{server.url}/v1/models/toy:predict"
    process = psutil.Process(server.popen.pid)

    async def capacity():
        async with aiohttp.ClientSession() as session:

            async def ask(times):
                for _ in range(times):
                    async with session.post(url, data=BODY) as response:
                        assert response.status == 200

            started = time.perf_counter()
            await asyncio.gather(*[ask(12) for _ in range(8)])
            return 96 / (time.perf_counter() - started)

    rate = asyncio.run(capacity())
    half = asyncio.run(send(url, rate / 2, 5, seed=0))
    assert {status for status, _ in half} == {200}
    before = process.memory_info().rss
    over = asyncio.run(send(url, rate * 3, 6, seed=1))
    assert process.memory_info().rss - before < 100 << 20
    codes = [status for status, _ in over]
    assert set(codes) == {200, 503}, (rate, half[-3:], over[-3:])
    assert codes.count(200) > 0.5 * rate * 6
    told = (rate, quantile(half, 200, 0.99), quantile(over, 200, 0.99), quantile(over, 503, 0.99))
    assert quantile(over, 503, 0.5) < 0.1, told
    # The benchmark holds it to 3 times; here 5 s on a machine that has other work.
    assert quantile(over, 200, 0.99) < 6 * quantile(half, 200, 0.99), told
    after = asyncio.run(send(url, rate / 2, 2, seed=2))
    assert {status for status, _ in after} == {200}
    print(told)
