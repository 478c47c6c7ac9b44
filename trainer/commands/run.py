"""Train, evaluate and export a classifier from a table of products.

  taxofuse run --data products.csv --label category --workdir runs/1

The same command again goes on where it was interrupted.
"""

from __future__ import annotations

import argparse

from trainer.commands.configure import add_training_arguments, configure

HELP = "from a table to a trained, evaluated, exported classifier"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add_training_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the main job; prints figures and paths."""
    config = configure(args)
    from trainer.artefact import find_export
    from trainer.reporting import evaluate_run, load_metrics, next_commands
    from trainer.run import Run

    job = Run(config, args.workdir)
    job.prepare()
    job.report_split  # noqa: B018  refuses now rather than after the training
    metrics = load_metrics(job)
    if metrics is None:
        metrics = evaluate_run(job, job.train())
        job.finish()
    else:
        job.say(f"{args.workdir} holds this very run, finished: nothing to do")
    export = find_export(args.workdir)
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
    print(f"report             {args.workdir / 'report.html'}")
    print(f"metrics            {args.workdir / 'metrics.json'}")
    print(f"model              {export}")
    print("next:")
    for command in next_commands(job).values():
        print(f"  {command}")
    return 0
