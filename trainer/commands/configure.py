"""The options that `run`, `train` and `clean` share, and the configuration they make."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.cluster import read_cluster
from trainer.config import Config, config_names, load_config
from trainer.overrides import apply_overrides

DEMO = "demo"
_DEMO_LABEL = ("category", "subcategory")
_DATA_SET = "tfds:"


def add_config_arguments(parser: argparse.ArgumentParser, *, workdir_required: bool = True) -> None:
    """Declares table, label, workdir and configuration."""
    parser.add_argument(
        "--data", required=True, metavar="TABLE", help="CSV or Parquet file, or `demo`"
    )
    parser.add_argument(
        "--label",
        default="",
        metavar="COL[,COL...]",
        help="label columns, the levels of the taxonomy from the top down",
    )
    parser.add_argument(
        "--label-separator", default="", metavar="TEXT", help="splits one label column into levels"
    )
    parser.add_argument("--ignore", default="", metavar="COL[,COL...]", help="columns to leave out")
    parser.add_argument(
        "--workdir",
        type=Path,
        required=workdir_required,
        metavar="DIR",
        help="folder of all files; the same command again goes on from what is there",
    )
    parser.add_argument(
        "--config",
        default="default",
        metavar="NAME|FILE.py",
        help=f"one of {', '.join(config_names())}, or a file with get_config()",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="a.b=VALUE",
        help="change one setting, such as train.head_epochs=20; may be repeated",
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what `run` and `train` take."""
    add_config_arguments(parser)
    parser.add_argument(
        "--unlabeled",
        default="",
        metavar="TABLE",
        help="more products, without labels, to learn from; the same table for its rows without",
    )


def configure(args: argparse.Namespace) -> Config:
    """Makes the configuration of a call; draws the demo catalogue where it is asked for.

    Of several workers that train together (see `trainer.distribution`) each but the first
    works in a folder of its own in `args.workdir`, which is changed to that.

    Raises:
        ValueError: for settings that do not exist or do not fit.
    """
    config = load_config(args.config)
    if index := read_cluster().index:
        args.workdir = args.workdir / "workers" / str(index)
    # Whole, so that config.json is enough to run again from any folder.
    is_path = not args.data.startswith(_DATA_SET)
    given: dict[str, Any] = {"table": str(Path(args.data).absolute()) if is_path else args.data}
    if args.label:
        given["label"] = _names(args.label)
    if args.label_separator:
        given["label_separator"] = args.label_separator
    if args.ignore:
        given["ignore"] = _names(args.ignore)
    if unlabeled := getattr(args, "unlabeled", ""):
        given["unlabeled"] = unlabeled
    if args.data == DEMO:
        table = _draw_demo(args.workdir.absolute() / DEMO)
        given["table"], given["slices"] = str(table), str(table.with_name("slices.csv"))
        given.setdefault("label", _DEMO_LABEL)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, **given))
    config = apply_overrides(config, args.set)
    files: dict[str, Any] = {
        name: str(Path(path).absolute())
        for name in ("slices", "suspicious", "taxonomy", "unlabeled")
        if (path := getattr(config.data, name))
    }
    encoders = {
        kind: {name: _with_whole_paths(options) for name, options in of_kind.items()}
        for kind, of_kind in config.model.encoders.items()
    }
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **files),
        model=dataclasses.replace(config.model, encoders=encoders),
    )


def _with_whole_paths(options: Mapping[str, Any]) -> dict[str, Any]:
    files = {
        name: str(Path(path).absolute())
        for name in ("adapter", "weights")
        if (path := options.get(name)) and Path(path).exists()
    }
    return {**options, **files}


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _draw_demo(folder: Path) -> Path:
    table = folder / "products.csv"
    if not table.is_file():
        from trainer.demo_catalogue.catalogue import write_demo_catalogue

        write_demo_catalogue(folder)
    return table
