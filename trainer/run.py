"""The main job: table in; model, figures and report out."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trainer.answers import OK, Answers
from trainer.artefact import ModelCard, find_export
from trainer.augment import add_views
from trainer.auxiliary import build_objectives
from trainer.catalogue import Catalogue, describe_splits, load_catalogue
from trainer.check_settings import check_settings
from trainer.config import Config
from trainer.data.rules import NO_CLASS_LEFT
from trainer.data.seen_rows import digest_rows
from trainer.data.splits import SPLITS
from trainer.distribution import join_workers
from trainer.embed import FeatureStore
from trainer.ensemble import fit_ensemble
from trainer.export import export_saved_model
from trainer.files import file_state, remove_folder, write_text
from trainer.fitting import encoder_files, fit_network
from trainer.inputs import InputSpec
from trainer.layers.rule_ops import exclude
from trainer.network import Network
from trainer.registry import MODALITIES
from trainer.sample import Sample
from trainer.saved_network import save_network
from trainer.spreading import certainty, spread_labels
from trainer.teacher import ask_teacher, load_teacher, soften, teacher_state
from trainer.tracking.tracker import build_tracker
from trainer.written_rows import write_rows

MEASURED = "measured"
"""Folder of a workdir with the export of the network that was measured, where asked for."""


@dataclass
class Run:
    """A configuration applied to a table, in a folder that it can be resumed from.

    Args:
        config: Configuration.
        workdir: Folder of all files.
        source: DataFrame to read instead of `config.data.table`.
        quiet: Say nothing on stderr beside progress.
        name: Of the run for an experiment tracker; that of the workdir by default.
    """

    config: Config
    workdir: Path
    source: pd.DataFrame | None = None
    quiet: bool = False
    name: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    def prepare(
        self,
        draw_splits: Callable[[list[str], np.ndarray], np.ndarray] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Reads the table, draws the split, writes the examples.

        Args:
            draw_splits: From the labels and the groups of near-duplicates to the
                split of each row, for other splits than the configuration's.
            catalogue: The table, where it was read and split already.

        Raises:
            ValueError, FileNotFoundError: where the table or an option does
                not fit; nothing was trained then.
        """
        join_workers()
        data = self.config.data
        objectives = build_objectives(self.config.train.objectives)
        auxiliary = [name for objective in objectives for name in objective.columns]
        with self.timed("read the table"):
            if catalogue is None:
                self.say(f"Columns of {data.table or 'the table'}:")
                source = data.table if self.source is None else self.source
                catalogue = load_catalogue(source, data, self.say, draw_splits, auxiliary)
            self.catalogue = catalogue
            self.fingerprint = catalogue.fingerprint()
        self.say(
            f"{len(self.catalogue.ids)} rows in {len(set(self.catalogue.labels))} classes: "
            f"{describe_splits(self.catalogue)}; {self.catalogue.num_groups} groups of "
            "near-duplicates kept together"
        )
        if self.config.data.unlabeled:
            self.say(f"{len(self.catalogue.unlabeled.frame)} rows without a label to learn from")
        for reason, rows in self.catalogue.rows_left_out.items():
            self.say(f"{rows} rows left out: {reason}")
        if without := sorted(set(self.catalogue.class_names) - set(self.catalogue.labels)):
            read = self.reads_names(self.catalogue.inputs)
            self.say(
                f"{len(without)} classes of the taxonomy have no row, first {without[0]!r}: "
                + ("known by their texts alone" if read else "never answered, no text is read")
            )
        self.tracker = build_tracker(self.config.train.track)
        check_settings(self.config, self.catalogue, self.say)
        write_text(self.workdir / "config.json", self.config.to_json() + "\n")
        self.write_rows()
        if broken := self.rows.unlabeled_problems:
            row, problem = next(iter(broken.items()))
            self.say(
                f"{len(broken)} rows without a label have problems and teach what is left of them; "
                f"the first is row {row}: {problem}"
            )
        if self.config.train.patience and not len(self.catalogue.rows("eval")):
            self.say("train.patience has no effect: there are no eval rows to watch")
        if problems := self.rows.problems:
            self.say(
                f"{len(problems)} rows have problems and are used without what is broken; "
                "the report lists them"
            )

    def write_rows(self) -> None:
        """Writes the rows and their views where they are not yet, and opens their features."""
        with self.timed("write the examples"):
            self.rows = write_rows(self.catalogue, self.config.augment, self.workdir / "cache")

    @property
    def store(self) -> FeatureStore:
        """Features of all rows."""
        return self.rows.store

    @property
    def key(self) -> str:
        """Hash of all that decides what this run makes."""
        files = encoder_files(self.config)
        if slices := self.config.data.slices:
            files[slices] = file_state(Path(slices))
        if teacher := self.config.train.teacher:
            files |= teacher_state(Path(teacher))
        described = [dataclasses.asdict(self.config), self.fingerprint, files]
        return hashlib.sha256(json.dumps(described, default=str).encode()).hexdigest()[:16]

    @property
    def is_done(self) -> bool:
        """Whether the newest export of the workdir is what this run would make."""
        try:
            return ModelCard.load(find_export(self.workdir)).run == self.key
        except FileNotFoundError:
            return False

    def train(self) -> Network:
        """Trains on the training rows."""
        logs = self.workdir / "logs"
        self.tracker.start(
            self.name or self.workdir.name, self.key, dataclasses.asdict(self.config), logs
        )
        with self.timed("train"):
            self.measured = self.fit(
                self.sample("train"),
                self.sample("eval"),
                logs=logs,
                on_epoch=self.tracker.log_epoch,
            )
        for name, counts in self.measured.count_parameters().items():
            share = 100 * counts["trained"] / max(counts["all"], 1)
            self.say(f"{name}: trained {counts['trained']:,} of {counts['all']:,} ({share:.2f} %)")
        for branch in self.measured.branches:
            if branch.encoder.adapter:
                self.say(f"{branch.name}: began with the adapter {branch.encoder.adapter}")
        if len(self.rows.unlabeled):
            spread = self.measured.spread
            self.say(
                f"{len(spread)} rows without a label were given one, "
                f"{certainty(spread.answers).mean():.0%} sure on average"
            )
        return self.measured

    def finish(self) -> Path:
        """Trains on all rows where that is wanted, and exports.

        Returns:
            The version folder of the SavedModel.
        """
        network, splits = self.measured, ["train"]
        if self.refits:
            with self.timed("train on all rows"):
                network = self.fit(
                    self.sample(*SPLITS),
                    epochs=self.measured.epochs,
                    vote_weights=self.measured.vote_weights,
                )
            splits = list(SPLITS)
        with self.timed("export"):
            path = self._export(network, splits)
        self.tracker.finish()
        remove_folder(self.workdir / "cache" / "checkpoints")
        return path

    def export_measured(self) -> Path | None:
        """Exports to `measured/` what the figures are of, where `finish` exports another model.

        Returns:
            The version folder; `None` where the exported model is the one that is measured.
        """
        if not self.refits:
            return None
        with self.timed("export"):
            return self._write_saved_model(self.workdir / MEASURED, self.measured, ["train"])

    @property
    def refits(self) -> bool:
        """Whether the exported model learns from all rows, once the held-out ones were answered."""
        held_out = any(len(self.catalogue.rows(split)) for split in SPLITS if split != "train")
        wanted = self.config.train.refit
        cheap = "encoders" not in self.measured.epochs
        return held_out and (wanted == "always" or (wanted == "auto" and cheap))

    def sample(self, *splits: str) -> Sample:
        """Returns the rows of some splits with their labels and weights."""
        rows = np.flatnonzero(np.isin(self.catalogue.splits, splits))
        return Sample.of(rows, self.catalogue.class_ids[rows], self.catalogue.weights[rows])

    def fit(
        self,
        sample: Sample,
        watched: Sample | None = None,
        *,
        inputs: Sequence[InputSpec] | None = None,
        unlabeled: np.ndarray | None = None,
        taught: np.ndarray | None = None,
        **options: Any,
    ) -> Network:
        """Fits a network to rows, to views of them and, where words are read, to names of classes.

        Where there are unlabeled rows, that network says what they are, and
        another one learns from them too. With a teacher, the answers to all of
        these are the teacher's.

        Args:
            sample: Rows to learn from.
            watched: Rows to watch; none by default.
            inputs: Which inputs to use; all by default. Auxiliary objectives
                are for all inputs together.
            unlabeled: `(n,)`, ascending rows to learn from without their
                labels; by default those that have none.
            taught: `(rows of the store, num_classes)`, logits of a teacher; by
                default those of `train.teacher`, where there is one.
            options: See `fit_network`.
        """
        config = self.config if inputs is None else _without_objectives(self.config)
        taught = self._ask_teacher() if taught is None else taught
        if taught is not None:
            # A teacher's answers are smooth, and adjusted for rare classes, already.
            own = dataclasses.replace(config.train, label_smoothing=0.0, logit_adjustment=0.0)
            config = dataclasses.replace(config, train=own)
        inputs = self.catalogue.inputs if inputs is None else inputs
        nothing = Sample.of(np.zeros(0), np.zeros(0))
        names = self.rows.names if self.reads_names(inputs) else nothing
        learned = add_views(sample, self.rows.views, self.config.augment.share) + names
        unlabeled = self.rows.unlabeled if unlabeled is None else unlabeled
        fit = functools.partial(
            fit_network if config.train.ensemble == 1 else fit_ensemble,
            inputs,
            len(self.catalogue.class_names),
            config,
            self.store,
            self.workdir / "cache" / "checkpoints",
            watched=watched or nothing,
            unlabeled=unlabeled,
            labels=self.rows.auxiliary_labels(),
            **options,
        )
        if taught is not None:
            answers = soften(taught, config.train.temperature)
            spread = Sample.of(
                unlabeled, answers[unlabeled].argmax(axis=1), None, answers[unlabeled]
            )
            learned += spread
            network = fit(dataclasses.replace(learned, answers=answers[learned.rows]))
            if options.get("vote_weights") is None and not watched:
                # No rows say how sure to be.
                network.vote_weights = network.vote_weights * config.train.temperature
            network.spread = spread
            return network
        if not len(unlabeled):
            return fit(learned)
        # What is alike is asked of the rows as they are: views would be each other's neighbours.
        first = fit(learned, logs=None, on_epoch=None)
        spread = self._label(first, sample, names, unlabeled)
        network = fit(learned + spread)
        network.spread = spread
        return network

    def _ask_teacher(self) -> np.ndarray | None:
        """Returns what `train.teacher` answers to all rows of the store, if there is one."""
        if not self.config.train.teacher:
            return None
        workdir, catalogue = Path(self.config.train.teacher), self.catalogue
        card = load_teacher(workdir, catalogue.inputs, catalogue.class_names)
        return ask_teacher(workdir, card, self.store, self.workdir / "cache")

    def _label(
        self, network: Network, sample: Sample, names: Sample, unlabeled: np.ndarray
    ) -> Sample:
        """Labels rows by what a network says of them and by what they are like."""
        votes, present = self.vote(network, unlabeled)
        scores = self.pool(network, votes, unlabeled, present)
        return spread_labels(network.branches, network.embedded, sample, names, unlabeled, scores)

    def pool(
        self, network: Network, votes: np.ndarray, rows: np.ndarray, names: Collection[str]
    ) -> np.ndarray:
        """Turns votes on rows into probabilities, as far as rules on some inputs let it."""
        return exclude(network.pool(votes), self.rows.find_excluded(rows, names)).numpy()

    def reads_names(self, inputs: Sequence[InputSpec]) -> bool:
        """Whether a network of some inputs learns from the texts of the classes."""
        reads = any(MODALITIES.get(spec.kind).reads_names for spec in inputs)
        return self.config.train.class_names and reads

    @property
    def report_split(self) -> str:
        """The split that figures are reported on: `test`, or `eval` where there is no test."""
        for split in ("test", "eval"):
            if len(self.catalogue.rows(split)):
                return split
        raise ValueError(
            "No rows are held out to report figures on. Give data.fractions a test share, or a "
            "split column with test rows; or use `taxofuse train`, which reports none."
        )

    def answer(self, network: Network, split: str) -> Answers:
        """Answers the rows of a split with a network, as far as the rules let it."""
        rows = self.catalogue.rows(split)
        votes, present = self.vote(network, rows)
        excluded = self.rows.find_excluded(rows, present)
        status = [self.rows.problems.get(int(row), OK) for row in rows]
        for row in np.flatnonzero(excluded.all(axis=1)):
            status[row] = NO_CLASS_LEFT if status[row] == OK else f"{status[row]}; {NO_CLASS_LEFT}"
        return Answers(
            ids=[self.catalogue.ids[row] for row in rows],
            class_names=self.catalogue.class_names,
            scores=exclude(network.pool(votes), excluded).numpy(),
            present=present,
            status=status,
        )

    def vote(self, network: Network, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See `Network.vote`."""
        return network.vote(self.store, rows)

    def card(self, splits: Sequence[str]) -> ModelCard:
        """Describes a model that has learned from some splits."""
        return ModelCard(
            inputs=self.catalogue.inputs,
            class_names=tuple(self.catalogue.class_names),
            level_names=self.catalogue.level_names,
            label=self.config.data.label,
            label_separator=self.config.data.label_separator,
            run=self.key,
            trained_on={split: len(self.catalogue.rows(split)) for split in splits},
            rules=self.catalogue.taxonomy.rules,
        )

    def say(self, line: str) -> None:
        """Prints a line for people."""
        if not self.quiet:
            print(line, file=sys.stderr, flush=True)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the seconds that a block takes to `timings`."""
        began = time.monotonic()
        yield
        self.timings[stage] = self.timings.get(stage, 0.0) + time.monotonic() - began

    def _export(self, network: Network, splits: list[str]) -> Path:
        for branch in network.tuned:
            encoder = network.encoders[branch.name]
            if "encoders" in network.epochs and not branch.encoder.adapts:
                path = self.workdir / "adapters" / f"{branch.name}.safetensors"
                branch.encoder.write_adapter(path, encoder)
            branch.encoder.method.merge(encoder)
        save_network(self.workdir, network.scorer(), network.branches, self.card(splits))
        # Last, because it says that the run is done.
        return self._write_saved_model(self.workdir / "export", network, splits)

    def _write_saved_model(self, folder: Path, network: Network, splits: list[str]) -> Path:
        rows = self.catalogue.take(self.sample(*splits).rows)
        seen = digest_rows(rows, self.catalogue.inputs)
        return export_saved_model(
            folder, network.branches, network.scorer(), self.card(splits), seen
        )


def _without_objectives(config: Config) -> Config:
    return dataclasses.replace(config, train=dataclasses.replace(config.train, objectives={}))
