"""What the client costs beside a bare call: milliseconds and CPU of one request.

    python tests/benchmarks/serving_client.py --server http://127.0.0.1:8501 --picture a.jpg

The bare call sends a request that was encoded before and leaves the answer as
bytes: what urllib3 or gRPC take by themselves.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import urllib3

from serving.client import Client
from serving.client.address import check_address
from serving.client.grpc_calls import PREDICT
from serving.client.protocol import ModelName
from serving.client.rest import model_path
from serving.load.bodies import encode


def measure(call: Callable[[], object], requests: int) -> tuple[float, float]:
    """Returns the median milliseconds, and the CPU's milliseconds a request."""
    for _ in range(20):
        call()
    seconds = []
    cpu = time.process_time()
    for _ in range(requests):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return 1000 * float(np.median(seconds)), 1000 * (time.process_time() - cpu) / requests


def bare_call(url: str, body: bytes) -> Callable[[], object]:
    """Returns a call that neither encodes nor decodes."""
    scheme, address = check_address(url)
    if scheme == "http":
        pool = urllib3.PoolManager()
        path = f"{url}{model_path(ModelName('taxofuse'))}:predict"
        return lambda: pool.request("POST", path, body=body).data
    predict = grpc.insecure_channel(address).unary_unary(PREDICT)
    return lambda: predict(body)


def main() -> None:
    """Prints both costs and their difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--text", default="red mug for tea, 300 ml")
    parser.add_argument("--requests", type=int, default=500)
    args = parser.parse_args()
    with Client(args.server) as client:
        inputs = client.inputs()
        kinds = {spec.kind: spec.name for spec in inputs}
        product = {kinds["image"]: args.picture.read_bytes(), kinds["text"]: args.text}
        row = client._find_reader().read(product)
        scheme, _ = check_address(args.server)
        [body] = encode([row], inputs, client.model, "serving_default", 1, scheme)
        bare = bare_call(args.server, body)
        measured = {"client": [], "bare": []}
        # In turns, so that what else the machine does falls on both.
        for _ in range(5):
            measured["client"].append(measure(lambda: client.predict(product), args.requests // 5))
            measured["bare"].append(measure(bare, args.requests // 5))
    print(f"{args.server}, picture of {args.picture.stat().st_size} bytes, body of {len(body)}")
    for name, found in measured.items():
        median, cpu = np.median(found, axis=0)
        print(f"{name:6}  {median:6.2f} ms   CPU {cpu:5.2f} ms")


if __name__ == "__main__":
    main()
