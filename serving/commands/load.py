"""Put open-loop load on a model server: requests arrive whether or not others were answered.

  taxofuse load --server grpc://localhost:8500 --data products.csv --rate 50,100,200
      --seconds 30 --out load/

Arrivals are a Poisson process. Latencies count from the time at which a
request was to be sent, so that a server that stalls is not flattered. Writes
load.json and load.svg and prints a table: milliseconds, cores, megabytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HELP = "load on a server: latency percentiles, errors, CPU and memory at given rates"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--server", required=True, metavar="URL", help="http://HOST:PORT or grpc://HOST:PORT"
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="TABLE", help="CSV or Parquet file of products"
    )
    parser.add_argument(
        "--rate", required=True, metavar="R[,R...]", help="requests per second, one run each"
    )
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="for each rate")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--batch-size", type=int, default=1, metavar="N", help="rows a request")
    parser.add_argument("--rows", type=int, default=256, metavar="N", help="different rows")
    parser.add_argument("--signature", default="serving_default", metavar="NAME")
    parser.add_argument("--deadline", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--max-in-flight", type=int, default=4096, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--pid", type=int, metavar="N", help="process of the server; found from the port on here"
    )
    parser.add_argument("--model-name", default="taxofuse", metavar="NAME")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model-version", type=int, metavar="N", help="the newest if not given")
    which.add_argument("--model-label", default="", metavar="LABEL", help="such as stable")


def run(args: argparse.Namespace) -> int:
    """Measures, writes, and prints the table and the path of the figures."""
    try:
        rates = tuple(float(rate) for rate in args.rate.split(","))
    except ValueError as error:
        raise ValueError(
            f"--rate must be numbers, with commas between them. Received: {args.rate!r}."
        ) from error
    from serving.client.protocol import ModelName
    from serving.load.figure import draw_load
    from serving.load.measure import LoadPlan, measure
    from serving.load.summary import format_table

    plan = LoadPlan(
        server=args.server,
        model=ModelName(args.model_name, args.model_version, args.model_label),
        rates=rates,
        seconds=args.seconds,
        batch=args.batch_size,
        num_rows=args.rows,
        signature=args.signature,
        deadline=args.deadline,
        seed=args.seed,
        max_in_flight=args.max_in_flight,
    )
    found = measure(plan, args.data, args.pid, lambda line: print(line, file=sys.stderr))
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "load.json"
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draw_load(args.out / "load.svg", found["rates"], f"{plan.server}, {plan.batch} rows a request")
    print(format_table(found["rates"]))
    for one in found["rates"]:
        for kind, count in one["errors"].items():
            print(f"{one['rate']:g}/s: {count} x {kind}")
    print(path)
    return 0
