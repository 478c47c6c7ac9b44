"""Write an exported model somewhere else, in a form that a server or device takes.

  taxofuse export --model runs/1 --out models/products --format savedmodel
  taxofuse export --model runs/1 --out edge --format tflite --quantize dynamic_range

  taxofuse export --model runs/1 --out edge --format tflite --quantize full_integer --max-loss 0.005

A folder for devices holds a network for each quantizer, the preprocessing, the
program that runs them (`python -m serving.edge`, with ai-edge-litert, NumPy and
Pillow) and a certificate: how far the answers are those of the model that was
trained. --sensitivity, which --max-loss and --max-size imply, measures what
each block of the network costs when it alone is quantized, and adds a page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

HELP = "write the model for a server or a device"
_FORMATS = ("savedmodel", "tflite")
_NUM_ROWS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir; or export, for servers"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of numbered versions; for devices the folder itself",
    )
    parser.add_argument("--format", choices=_FORMATS, default=_FORMATS[0])
    device = parser.add_argument_group("for devices")
    device.add_argument(
        "--quantize",
        default="dynamic_range",
        metavar="NAME[,NAME]",
        help="dynamic_range, full_integer, qat_int8, float16, float32 or all",
    )
    device.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME.OPTION=VALUE",
        help="option of a quantizer, such as qat_int8.epochs=5",
    )
    device.add_argument(
        "--data",
        metavar="TABLE",
        help="products to compare answers on; by default those of the run",
    )
    device.add_argument("--rows", type=int, default=_NUM_ROWS, metavar="N", help="of them to draw")
    device.add_argument(
        "--sensitivity", action="store_true", help="measure what quantizing each block costs"
    )
    device.add_argument(
        "--max-loss",
        type=float,
        metavar="SHARE",
        help="leave blocks in float until no more accuracy is lost, or answers where no labels are",
    )
    device.add_argument(
        "--max-size",
        default="",
        metavar="N[MB|%]",
        help="leave in float what fits a file of that size, %% of the float weights",
    )
    device.add_argument(
        "--keep-float", default="", metavar="REGEX", help="paths of layers to leave in float"
    )
    device.add_argument(
        "--open-batch", action="store_true", help="take any number of products at a time, not one"
    )
    device.add_argument(
        "--min-agreement",
        type=float,
        metavar="SHARE",
        help="of the rows that a file must answer like the network; by default 0.97",
    )
    device.add_argument(
        "--accept", action="store_true", help="write files that answer otherwise, too"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the next version below `--out`, or a folder for devices; prints its path."""
    return _export_for_devices(args) if args.format == "tflite" else _copy_saved_model(args)


def _copy_saved_model(args: argparse.Namespace) -> int:
    import shutil

    from trainer.artefact import find_export
    from trainer.files import new_folder

    source = find_export(args.model)
    versions = [
        int(child.name)
        for child in (args.out.iterdir() if args.out.is_dir() else ())
        if child.name.isdigit()
    ]
    path = args.out / str(max(versions, default=0) + 1)
    if (args.model / "model.keras").is_file() and not _is_current(source):
        from trainer.export import export_again

        print(export_again(args.model, path))
        return 0
    with new_folder(path) as temporary:
        shutil.copytree(source, temporary, dirs_exist_ok=True)
    print(path)
    return 0


def _is_current(source: Path) -> bool:
    """Says whether an export has all that this version of taxofuse writes."""
    from trainer.servable import SIGNATURES, list_signatures

    return list_signatures(source) == sorted(SIGNATURES)


def _export_for_devices(args: argparse.Namespace) -> int:
    from trainer.artefact import find_export
    from trainer.data.table import read_table
    from trainer.overrides import read_options
    from trainer.registry import QUANTIZERS

    find_export(args.model)
    names = QUANTIZERS.names() if args.quantize == "all" else args.quantize.split(",")
    for name in names:
        QUANTIZERS.get(name)
    options = read_options(args.set, names)
    if args.out.exists() and not args.out.is_dir():
        raise ValueError(f"--out must be a folder. Received: {args.out}, a file.")
    if args.out.exists() and not (args.out / "edge.json").is_file() and any(args.out.iterdir()):
        raise ValueError(f"--out would replace a folder with other files. Received: {args.out}.")
    table = read_table(args.data or _table_of_run(args.model))
    from trainer.certificate import Thresholds
    from trainer.edge_export import export_for_devices

    given = {} if args.min_agreement is None else {"agreement": args.min_agreement}
    certificate = export_for_devices(
        args.model,
        table,
        args.out,
        options,
        num_rows=args.rows,
        thresholds=Thresholds(**given),
        keep_float=args.keep_float,
        budget=_find_budget(args),
        accept=args.accept,
        open_batch=args.open_batch,
    )
    print(f"{'':16}{'MB':>8}{'ms':>8}{'agree':>8}{'accuracy':>10}")
    for name, found in certificate["variants"].items():
        accuracy = found["accuracy"]
        told = f"{accuracy['device']:.4f}" if accuracy else "-"
        print(
            f"{name:16}{found['bytes'] / 1e6:8.1f}{found['milliseconds']:8.1f}"
            f"{found['agreement']['float']:8.4f}{told:>10}"
        )
    if known := certificate["num_learned_from"]:
        rows = next(iter(certificate["variants"].values()))["num_rows"]
        print(
            f"Note: the model has learned from {known} of the {rows} rows that were compared. "
            "--data has others.",
            file=sys.stderr,
        )
    print(args.out)
    return 0


def _find_budget(args: argparse.Namespace) -> Any:
    """Returns what mixed precision must keep to, or `None` where nothing is to be measured."""
    from trainer.mixed_precision import Budget

    if not args.sensitivity and args.max_loss is None and not args.max_size:
        return None
    return Budget(args.max_loss, args.max_size)


def _table_of_run(workdir: Path) -> str:
    import json

    from trainer.config import Config

    path = workdir / "config.json"
    table = path.is_file() and Config.from_dict(json.loads(path.read_text("utf-8"))).data.table
    if not table:
        raise ValueError(f"{workdir} names no table. Give --data, some products to compare on.")
    return str(table)
