"""Methods together: each pair of choices trains, exports and answers, or is refused at once."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainer.config import load_config
from trainer.overrides import apply_overrides
from trainer.predictor import Predictor
from trainer.run import Run

ROWS = 48

# Of each question the choices, and what they set. The first of each goes with all others.
CHOICES: dict[str, dict[str, list[str]]] = {
    "tuning": {
        "frozen": [],
        "lora": ["model.encoders.text.bert.tuning=lora", "train.encoder_epochs=1"],
        "full": ["model.encoders.text.bert.tuning=full", "train.encoder_epochs=1"],
    },
    "picture": {
        "none": ["data.columns.picture=ignored"],
        "learns": ["model.encoders.image={'tiny_image': {'image_size': 32}}"],
    },
    "rare": {
        "rows": [],
        "balanced": ["train.sampling=balanced", "train.logit_adjustment=0"],
        "effective": ["train.class_weights=effective"],
    },
    "labels": {
        "trusted": [],
        "downweight": ["data.suspicious=suspicious.csv", "data.wrong_labels=downweight"],
        "robust": ["train.loss=generalised_crossentropy"],
    },
    "rows": {"labelled": [], "unlabeled": ["data.unlabeled=unlabeled.csv"]},
    "views": {"none": [], "views": ["augment.views=1"]},
    "mixing": {"none": [], "mixup": ["augment.mixup=0.3"], "cutmix": ["augment.cutmix=1"]},
    "objective": {
        "none": [],
        "contrastive": ["train.objectives={'contrastive': {'weight': 0.1}}"],
        "others": [
            "train.objectives={'supervised_contrastive': {'weight': 0.1}, "
            "'labels': {'weight': 0.3, 'columns': ['colour']}}"
        ],
    },
    "regularization": {
        "none": [],
        "fgsm": ["train.regularization=fgsm"],
        "freelb": ["train.regularization=freelb"],
    },
    "average": {"last": [], "ema": ["train.average=ema"], "swa": ["train.average=swa"]},
    "networks": {
        "one": [],
        "ensemble": ["train.ensemble=2", "train.bootstrap=true"],
        "distilled": ["train.ensemble=2", "train.distill=true"],
    },
    "taxonomy": {"drawn": [], "file": ["data.taxonomy=taxonomy.json"]},
}
# Pairs that make no sense, and what is said of them.
REFUSED = {
    (("networks", "ensemble"), ("picture", "learns")): "train.distill=true",
    (("networks", "ensemble"), ("tuning", "full")): "train.distill=true",
    (("networks", "ensemble"), ("tuning", "lora")): "train.distill=true",
    (("mixing", "mixup"), ("picture", "learns")): r"augment\.mixup mixes embeddings",
    (("mixing", "cutmix"), ("picture", "none")): r"augment\.cutmix mixes pixels",
    (("mixing", "cutmix"), ("tuning", "frozen")): r"augment\.cutmix mixes pixels",
    (("mixing", "mixup"), ("objective", "others")): "no targets for train.objectives",
    (("mixing", "cutmix"), ("objective", "others")): "no targets for train.objectives",
    (("mixing", "mixup"), ("objective", "contrastive")): "no targets for train.objectives",
    (("mixing", "cutmix"), ("objective", "contrastive")): "no targets for train.objectives",
    (("mixing", "cutmix"), ("networks", "ensemble")): "train.distill=true",
    (("objective", "contrastive"), ("networks", "ensemble")): "none is of kind|distill=true",
    (("objective", "contrastive"), ("picture", "none")): "none is of kind 'image'",
}
Choice = tuple[str, str]


def is_refused(one: Choice, other: Choice) -> bool:
    return (one, other) in REFUSED or (other, one) in REFUSED


def covering() -> Iterator[dict[str, str]]:
    """Yields combinations in which every pair that is not refused occurs."""
    of_question = [[(name, choice) for choice in choices] for name, choices in CHOICES.items()]
    left = {
        frozenset(pair)
        for one, other in itertools.combinations(of_question, 2)
        for pair in itertools.product(one, other)
        if not is_refused(*pair)
    }
    while left:
        rows = [complete(sorted(pair), of_question, left) for pair in sorted(left, key=sorted)]
        assert all(rows), "a pair that nothing completes is to be refused"
        pairs = [{frozenset(pair) for pair in itertools.combinations(row, 2)} for row in rows]
        best = max(range(len(rows)), key=lambda row: len(pairs[row] & left))
        left -= pairs[best]
        yield dict(rows[best])


def complete(
    chosen: list[Choice], of_question: list[list[Choice]], left: set[frozenset[Choice]]
) -> list[Choice]:
    """Answers the open questions so that much of what is left is covered; `[]` if none can be."""
    answered = {name for name, _ in chosen}
    if len(answered) == len(of_question):
        return chosen
    choices = next(of for of in of_question if of[0][0] not in answered)
    choices = [of for of in choices if not any(is_refused(of, had) for had in chosen)]
    choices.sort(key=lambda of: -sum(frozenset((of, had)) in left for had in chosen))
    found = (complete([*chosen, of], of_question, left) for of in choices)
    return next(filter(None, found), [])


@pytest.fixture(scope="module")
def folder(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with tables of the shop, suspicious labels and a taxonomy."""
    folder = tmp_path_factory.mktemp("compositions")
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame["picture"] = [str(shop.parent / of) if of else "" for of in frame["picture"]]
    labelled, unlabeled = frame[:ROWS], frame[ROWS:].drop(columns=["department", "category"])
    labelled.to_csv(folder / "products.csv", index=False)
    unlabeled.to_csv(folder / "unlabeled.csv", index=False)
    paths = labelled["department"] + " > " + labelled["category"]
    doubts = pd.DataFrame({"id": labelled["id"], "label": paths, "suggested_label": paths[::-1]})
    doubts["label_quality"], doubts["suspicious"] = 0.3, np.arange(ROWS) < 4
    doubts.to_csv(folder / "suspicious.csv", index=False)
    classes = [{"class": name, "synonyms": ["thing"]} for name in sorted({*paths, "worn > belts"})]
    rules = [{"class": "worn > watches", "column": "price", "above": 10}]
    taxonomy = json.dumps({"classes": classes, "rules": rules})
    (folder / "taxonomy.json").write_text(taxonomy)
    return folder


@pytest.fixture
def make(
    folder: Path, tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Iterable[Choice]], Run]:
    """Returns a function from choices to a run that is not prepared yet."""
    monkeypatch.chdir(folder)
    settings = [
        "data.table=products.csv",
        "data.label=department,category",
        "data.ignore=category_path,shelf",
        f"model.encoders.text={ {'bert': {'weights': tiny_bert, 'max_tokens': 8}} }",
        "model.fusion=gated",
        "train.head_epochs=4",
        "train.batch_size=16",
        "train.study=False",
    ]

    def make(choices: Iterable[Choice]) -> Run:
        chosen = [setting for name, choice in choices for setting in CHOICES[name][choice]]
        config = apply_overrides(load_config("tiny"), [*settings, *chosen])
        return Run(config, tmp_path / "run", quiet=True)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("choices", list(covering()), ids=lambda of: "-".join(of.values()))
def test_each_pair_trains_and_exports_what_it_learned(choices, make):
    run = make(choices.items())
    run.prepare()
    network = run.train()
    assert all(np.isfinite(epoch["loss"]) for epoch in network.history)
    run.config = dataclasses.replace(
        run.config, train=dataclasses.replace(run.config.train, refit="never")
    )
    run.finish()
    rows = run.catalogue.rows("test")
    expected = run.answer(network, "test")
    found = Predictor(run.workdir).answer(run.catalogue.take(rows))
    assert found.class_names == expected.class_names
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("pair", "message"), REFUSED.items(), ids=str)
def test_what_makes_no_sense_is_refused_before_anything_is_written(pair, message, make):
    # What else CutMix needs is there: only the pair itself is wrong.
    needed = {"picture": "learns", "tuning": "full"} if ("mixing", "cutmix") in pair else {}
    run = make({**needed, **dict(pair)}.items())
    with pytest.raises(ValueError, match=message):
        run.prepare()
    assert not run.workdir.exists()
