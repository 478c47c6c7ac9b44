"""Train, evaluate and export a classifier from a table of products.

  taxofuse run --data products.csv --label category --workdir runs/1

The same command again goes on where it was interrupted, and does nothing twice. With the same
arguments `taxofuse pipeline run` goes on from there: it judges the model beside the one that
is in use, and pushes it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.commands.workdir import FOLDER, SERVING
from trainer.commands.configure import add_training_arguments, configure
from trainer.next_commands import next_commands

HELP = "from a table to a trained, evaluated, exported classifier"
_ANOMALIES = "anomalies.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add_training_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the first steps of the pipeline, lays out what they made; prints figures and paths."""
    config = configure(args)
    from components.default_pipeline import build_default_pipeline
    from components.links import lay_out
    from components.pusher.versions import Versions
    from components.runner import Runner
    from trainer.artefact import find_export

    workdir = args.workdir.absolute()
    pipeline = build_default_pipeline(config, workdir / SERVING)
    # In this process: what a step refuses is told as the command's own.
    runner = Runner(workdir / FOLDER, parallel=0, say=lambda line: print(line, file=sys.stderr))
    results = runner.run(pipeline.until("ExampleValidator", "ModelTrainer"))
    for result in results.values():
        if result.cause is not None:
            raise result.cause
    anomalies = results["ExampleValidator"].outputs["anomalies"]
    trained = results["ModelTrainer"].outputs
    model, model_run = trained["model"].uri, trained["model_run"].uri
    statistics = results["StatisticsGen"].outputs["statistics"]
    versions = Versions(workdir / "export")
    with versions.locked():
        for page in (statistics.uri / "statistics.html", anomalies.uri / _ANOMALIES):
            lay_out(page, workdir / page.name)
        # Of logs each stage by itself: `export` has added its own beside them.
        for made, place in ((model_run, "."), (model, "."), (model_run / "logs", "logs")):
            for path in made.iterdir():
                if path.name not in ("export", "logs"):
                    lay_out(path, workdir / place / path.name)
        # Last, because it says that the run is done.
        number = versions.push(find_export(model))
    metrics = json.loads((workdir / "metrics.json").read_text(encoding="utf-8"))
    _tell(metrics, anomalies.properties, args.workdir, args.workdir / "export" / str(number))
    return 0


def _tell(
    metrics: Mapping[str, Any], anomalies: Mapping[str, Any], workdir: Path, export: Path
) -> None:
    """Prints figures, paths and what to do next."""
    low, high = metrics["accuracy_interval"]
    print(f"held-out products  {metrics['num_examples']}")
    print(f"accuracy           {metrics['accuracy']:.4f}  (95 % interval {low:.3f} to {high:.3f})")
    print(f"macro F1           {metrics['macro_f1']:.4f}")
    print(f"weighted F1        {metrics['weighted_f1']:.4f}")
    for name, level in metrics.get("levels", {}).items():
        print(f"  {name:<16} accuracy {level['accuracy']:.4f}, macro F1 {level['macro_f1']:.4f}")
    for row in metrics["study"]:
        parts = [f"all {row['accuracy']:.3f}"]
        parts += [f"{value} {of['accuracy']:.3f}" for value, of in row["slices"].items()]
        print(f"  {' + '.join(row['inputs']):<32} accuracy: {', '.join(parts)}")
    found = [f"{anomalies[level]} {level}s" for level in ("error", "warning")]
    print(f"anomalies          {', '.join(found)}: {workdir / _ANOMALIES}")
    print(f"report             {workdir / 'report.html'}")
    print(f"metrics            {workdir / 'metrics.json'}")
    print(f"model              {export}")
    print("next:")
    for command in next_commands(str(workdir)).values():
        print(f"  {command}")
