"""From a table to a pushed model, run by TFX.

    TAXOFUSE_PYTHON=.venv/bin/python python -m components.tfx.example_pipeline \
        --data products.csv --label category --workdir runs/tfx

Copy it, and change the copy. TFX's own components fit in where types are TFX's.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.components.common import resolver
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import channel, standard_artifacts

from components.configuration import for_examples
from components.tfx.adapter import tfx_component
from components.tfx.resolver import BlessedBefore
from trainer.commands.configure import add_config_arguments, configure
from trainer.config import Config


def build_pipeline(config: Config, workdir: Path) -> pipeline.Pipeline:
    """Returns the pipeline.

    Args:
        config: Configuration; its table is read.
        workdir: Whole path of a folder, which gets artifacts, metadata, and in `serving/` the
            versions of the model.
    """
    learning = dataclasses.asdict(config)
    example_gen = tfx_component("ExampleGen")(**for_examples(config))
    examples = example_gen.outputs["examples"]
    statistics_gen = tfx_component("StatisticsGen")(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = tfx_component("SchemaGen")(statistics=statistics)
    example_validator = tfx_component("ExampleValidator")(
        statistics=statistics, schema=schema_gen.outputs["schema"]
    )
    transform = tfx_component("Transform")(examples=examples, config=learning)
    model_trainer = tfx_component("ModelTrainer")(
        examples=examples,
        transformed_examples=transform.outputs["transformed_examples"],
        config=learning,
    )
    model = model_trainer.outputs["model"]
    in_use = resolver.Resolver(
        strategy_class=BlessedBefore,
        model=channel.Channel(type=standard_artifacts.Model),
        model_blessing=channel.Channel(type=standard_artifacts.ModelBlessing),
        candidate=model,
    ).with_id("model_in_use")
    evaluator = tfx_component("Evaluator")(
        examples=examples, model=model, baseline=in_use.outputs["model"]
    )
    infra_validator = tfx_component("InfraValidator")(examples=examples, model=model)
    pusher = tfx_component("Pusher")(
        model=model,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=infra_validator.outputs["blessing"],
        destination=str(workdir / "serving"),
    )
    return pipeline.Pipeline(
        pipeline_name="taxofuse",
        pipeline_root=str(workdir / "tfx"),
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(workdir / "tfx" / "metadata.sqlite")
        ),
        enable_cache=True,
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            model_trainer,
            in_use,
            evaluator,
            infra_validator,
            pusher,
        ],
    )


def main(arguments: Sequence[str]) -> None:
    """Runs the pipeline on this machine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_config_arguments(parser)
    args = parser.parse_args(arguments)
    config = configure(args)
    LocalDagRunner().run(build_pipeline(config, args.workdir.absolute()))


if __name__ == "__main__":
    main(sys.argv[1:])
