"""The configuration of a run: frozen, validated when made, written beside the weights."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import math
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from trainer.registry import unknown


@dataclass(frozen=True)
class DataConfig:
    """Which table, and how it is read.

    Args:
        table: Path of a CSV or Parquet file, or `demo`.
        label: Label columns from the top of the taxonomy down.
        label_separator: Splits one label column of paths into levels.
        taxonomy: JSON file of all classes, with words for them and rules on
            their products; by default the classes are those of the table.
        ignore: Columns that are left out.
        use: Columns that are used even though they give the label away.
        columns: Column to kind, where the inferred kind is wrong.
        text: `joined` makes one input of all text columns, `separate` one each.
        split: Column that says `train`, `eval` or `test`; drawn where empty.
        fractions: Shares of the rows drawn for training, choosing and reporting.
        slices: CSV with `id` and columns by whose values results are shown.
        suspicious: CSV of `taxofuse clean`, which names rows that are probably
            labelled wrongly.
        wrong_labels: What becomes of those among the training rows: `relabel`
            as suggested, `drop`, or `downweight`, to count as much as their
            `label_quality`. Rows that figures are reported on stay.
        unlabeled: Table of more products, without labels, to learn from as well
            as from the rows of `table` that have none; `table` itself for
            those alone.
        seed: Of the drawn split.
    """

    table: str = ""
    label: tuple[str, ...] = ()
    label_separator: str = ""
    taxonomy: str = ""
    ignore: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    text: str = "joined"
    split: str = ""
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    slices: str = ""
    suspicious: str = ""
    wrong_labels: str = "relabel"
    unlabeled: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("data.text", self.text, ("joined", "separate"))
        _one_of("data.wrong_labels", self.wrong_labels, ("relabel", "drop", "downweight"))
        if self.wrong_labels != "relabel" and not self.suspicious:
            rule = "needs data.suspicious, the table that `taxofuse clean` writes"
            refuse("data.wrong_labels", rule, self.wrong_labels)
        if (
            len(self.fractions) != 3
            or min(self.fractions) < 0
            or abs(sum(self.fractions) - 1) > 1e-6
        ):
            refuse("data.fractions", "must be three shares that sum to 1", self.fractions)
        if self.fractions[0] <= 0:
            refuse("data.fractions", "must leave rows to train on", self.fractions)


@dataclass(frozen=True)
class ModelConfig:
    """Which encoders read which modality, and how they are joined.

    Args:
        encoders: Modality to encoder to the encoder's options.
        fusion: A registered fusion.
        fusion_options: Its arguments.
        embedding_scale: Length that embeddings are scaled to before the
            fusion. Longer ones let the head fit more closely.
        dropout: Share of the fused embedding that is dropped in training.
        modality_dropout: Probability with which each input of a row is hidden
            in training; one always stays.
        reach: Encoder to by how much at most it moves the logarithm of the odds
            of two classes; those that are not named move it by any amount. What
            it reads votes beside the fusion (see `VotePool`), but where nothing
            else than numbers and categories is left to fuse. `{"resnet50": 2}`
            lets no picture make a class more than seven times as likely beside
            another, where there is a text.
    """

    encoders: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    fusion: str = "concat"
    fusion_options: Mapping[str, Any] = field(default_factory=dict)
    embedding_scale: float = 10.0
    dropout: float = 0.0
    modality_dropout: float = 0.1
    reach: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _between("model.dropout", self.dropout, 0, 1)
        _between("model.modality_dropout", self.modality_dropout, 0, 1)
        if not 0 < self.embedding_scale < math.inf:
            refuse("model.embedding_scale", "must be a number above 0", self.embedding_scale)
        for name, reach in self.reach.items():
            if not 0 < reach < math.inf:
                refuse(f"model.reach.{name}", "must be a number above 0", reach)


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast.

    Training has two stages: `head`, with pretrained encoders as they are and
    their embeddings computed once, then `encoders`, with everything that is
    not frozen.

    Args:
        batch_size: Products a step.
        head_epochs: Of the first stage.
        head_learning_rate: Peak of the first stage.
        encoder_epochs: Of the second stage, where an encoder is to be trained.
        vote_learning_rate: Peak of the votes in the second stage; that of an
            encoder is an option of its tuning method.
        warmup: Share of the steps in which the learning rate rises.
        weight_decay: Of AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101).
        average: Answer with averaged weights: `ema`, an exponential moving average
            over about a tenth of the steps; `swa`, the mean of the last quarter of
            the epochs at a constant learning rate; empty for the last weights.
        l2: Penalty on the squared weights of the votes, `l2 / 2` for the sum
            of the losses of all rows: the more rows, the less it counts. The
            inverse of `C` in scikit-learn's logistic regression.
        class_names: The name of each class, with what `data.taxonomy` says of
            it, counts as one more product that has only this text; so classes
            with few training rows, or none, can be answered too.
        loss: A registered loss.
        loss_options: Its arguments.
        label_smoothing: Share of the target spread over all classes.
        sampling: How often rows come in an epoch: `rows` (each once), `balanced`
            (every class equally often) or `square_root` (classes by the root of
            their rows); for `class_weights=none` only.
        class_weights: `none`; `balanced` (rows count inversely to the frequency
            of their class); `effective` (to the effective number of rows of
            their class: Cui et al., 2019, arXiv:1901.05555).
        logit_adjustment: How far the loss makes up for rare classes, 0 to 1: at
            1 the answers aim at the mean accuracy of all classes, at 0 at that
            of all products.
        patience: Epochs without a better loss on the eval rows before a stage
            stops; 0 never stops.
        refit: After the held-out rows were answered, train once more on all
            rows with the number of epochs found: `auto` where no encoder is
            trained and it costs little, `always`, `never`.
        mixed_precision: Compute in float16 on a GPU, bfloat16 elsewhere.
        deterministic: The same numbers at every run, more slowly.
        regularization: A registered adversarial regularizer, such as `fgsm`; none
            where empty. A stage perturbs what it computes, pixels and token
            embeddings of encoders that it trains, and the embeddings of others.
        regularization_options: Its arguments.
        objectives: What is learned beside the label in training only, objective
            to options, `weight` among them: `contrastive`,
            `supervised_contrastive`, `labels` (of other columns).
        ensemble: Networks that differ in their seeds, whose votes are averaged;
            they share frozen encoders, and others are refused.
        bootstrap: The rows count differently for each of them.
        distill: Export one network that has learned from the answers of all of
            them in place of the labels.
        teacher: Workdir of a finished run. What its network answers to the rows,
            their views, the names of the classes and rows without a label is
            learned in place of the labels.
        temperature: By which the logits of those who teach are divided; the
            higher, the more is told of classes that are not the first.
        study: Also train and measure each modality alone, for the report.
        track: Experiment tracker that hears of it beside TensorBoard, such as
            `wandb` or `mlflow`; none where empty.
        seed: Of initial weights, order and dropout.
    """

    batch_size: int = 64
    head_epochs: int = 60
    head_learning_rate: float = 0.02
    encoder_epochs: int = 3
    vote_learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 0.0
    average: str = ""
    l2: float = 1.0
    class_names: bool = True
    loss: str = "crossentropy"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    label_smoothing: float = 0.1
    sampling: str = "rows"
    class_weights: str = "none"
    logit_adjustment: float = 0.5
    patience: int = 0
    refit: str = "auto"
    mixed_precision: bool = False
    deterministic: bool = False
    regularization: str = ""
    regularization_options: Mapping[str, Any] = field(default_factory=dict)
    objectives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ensemble: int = 1
    bootstrap: bool = False
    distill: bool = False
    teacher: str = ""
    temperature: float = 1.0
    study: bool = True
    track: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("train.sampling", self.sampling, ("rows", "square_root", "balanced"))
        if self.sampling != "rows" and self.class_weights != "none":
            rule = f"must be none with train.sampling={self.sampling}, which evens out classes too"
            refuse("train.class_weights", rule, self.class_weights)
        _one_of("train.average", self.average, ("", "ema", "swa"))
        _one_of("train.class_weights", self.class_weights, ("none", "balanced", "effective"))
        _one_of("train.refit", self.refit, ("auto", "always", "never"))
        _between("train.warmup", self.warmup, 0, 1)
        if not 0 <= self.logit_adjustment <= 1:
            refuse("train.logit_adjustment", "must be from 0 to 1", self.logit_adjustment)
        _between("train.label_smoothing", self.label_smoothing, 0, 1)
        for name in ("batch_size", "head_epochs", "ensemble"):
            if getattr(self, name) < 1:
                refuse(f"train.{name}", "must be at least 1", getattr(self, name))
        for name in ("head_learning_rate", "vote_learning_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                refuse(f"train.{name}", "must be a number above 0", getattr(self, name))
        for name in ("encoder_epochs", "weight_decay", "l2", "patience"):
            if not 0 <= getattr(self, name) < math.inf:
                refuse(f"train.{name}", "must be a number of at least 0", getattr(self, name))
        for name in ("bootstrap", "distill"):
            if getattr(self, name) and self.ensemble == 1:
                refuse(f"train.{name}", "needs train.ensemble=2 or more", True)
        if self.teacher and self.ensemble > 1:
            refuse("train.teacher", "needs train.ensemble=1: one teacher or several", self.teacher)
        if self.temperature != 1 and not (self.distill or self.teacher):
            rule = "needs train.distill=true or train.teacher"
            refuse("train.temperature", rule, self.temperature)


@dataclass(frozen=True)
class AugmentConfig:
    """Changed copies of the training rows to learn from beside them, and mixed rows.

    Args:
        views: Copies of each row, made once; 0 makes none.
        share: What the copies of a row together take of its weight.
        operations: Modality to operation to the operation's options, in the
            order in which they are applied. A modality without operations
            stays as it is.
        mixup: `alpha` of MixUp: the first stage learns from embeddings mixed
            in pairs, with shares from Beta(alpha, alpha); 0 mixes none.
        cutmix: `alpha` of CutMix: the second stage learns from pictures cut
            into one another; 0 mixes none.
        seed: Of the copies. What is mixed in training depends on `train.seed`.
    """

    views: int = 0
    share: float = 0.5
    operations: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=lambda: {
            "image": {"crop": {}, "flip": {}, "colour_jitter": {}},
            "text": {"word_dropout": {}, "word_swap": {}},
            "number": {"jitter": {}},
        }
    )
    mixup: float = 0.0
    cutmix: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.views < 0:
            refuse("augment.views", "must be at least 0", self.views)
        _between("augment.share", self.share, 0, 1)
        for name in ("mixup", "cutmix"):
            if not 0 <= getattr(self, name) < math.inf:
                refuse(f"augment.{name}", "must be a number of at least 0", getattr(self, name))


@dataclass(frozen=True)
class Config:
    """Everything that decides what a run makes."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def to_json(self) -> str:
        """Returns the configuration as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Builds a configuration from what `to_json` wrote.

        Raises:
            ValueError: for a setting that this version does not have.
        """
        config = cls()
        for section, settings in values.items():
            check_name(config, section, section)
            old = getattr(config, section)
            for name in settings:
                check_name(old, name, f"{section}.{name}")
            new = dataclasses.replace(old, **_tuples(settings))
            config = dataclasses.replace(config, **{section: new})
        return config


def load_config(name: str) -> Config:
    """Loads a configuration by name or from a Python file.

    Args:
        name: A module of `trainer.configs`, or the path of a `.py` file that
            defines `get_config() -> Config`.

    Raises:
        ValueError: for an unknown name, or a file without `get_config`.
    """
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise FileNotFoundError(f"No configuration file at {path.absolute()}.")
        spec = importlib.util.spec_from_file_location("taxofuse_user_config", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        names = config_names()
        if name not in names:
            raise ValueError(unknown("configuration", name, names))
        module = importlib.import_module(f"trainer.configs.{name}")
    if not hasattr(module, "get_config"):
        raise ValueError(f"A configuration file must define get_config(). Received: {name}.")
    config = module.get_config()
    if not isinstance(config, Config):
        raise ValueError(
            f"get_config() must return a Config. Received: {name} returns {type(config).__name__}."
        )
    return config


def config_names() -> list[str]:
    """Returns the names of the configurations that come with the package."""
    package = importlib.import_module("trainer.configs")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def check_name(node: Any, name: str, path: str) -> None:
    names = [item.name for item in dataclasses.fields(node)]
    if name not in names:
        raise ValueError(unknown(f"setting in {path!r}", name, names))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _one_of(name: str, value: str, expected: tuple[str, ...]) -> None:
    if value not in expected:
        raise ValueError(unknown(f"value of {name}", value, expected))


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        refuse(name, f"must be at least {low} and below {high}", value)


def refuse(name: str, rule: str, value: object) -> NoReturn:
    raise ValueError(f"{name} {rule}. Received: {name}={value}.")
