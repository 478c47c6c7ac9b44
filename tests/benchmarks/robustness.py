"""What attacks and corruptions leave of the accuracy, plain and hardened, cross-validated.

    python tests/benchmarks/robustness.py --data products.csv --label category \
        --ignore subcategory,category_path --rows 6 --seeds 0,1,2

Each configuration is trained on the same folds. All held-out rows are answered
as they are, and it is proved of which no picture whatever turns the answer; some
of each fold (none with `--rows 0`) are attacked: the picture by APGD at 4/255
(the cross-entropy, then aimed at the other classes), up to 15 % of the words,
both one after the other; and corrupted where nothing but the picture is shown.
Exit status 1: a bar was missed.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from cross_validation import NUM_FOLDS, build_parser, draw_folds, fit_fold, open_run
from table import print_table, write_figures

from trainer.input_pipeline import read_values
from trainer.overrides import apply_overrides
from trainer.robustness.certificate import certify_pictures
from trainer.robustness.plan import CORRUPTED as CORRUPTED_WITH_ALL
from trainer.robustness.plan import CORRUPTED_ALONE, EPS, WORD_SHARE, build_plan
from trainer.robustness.probe import Bench, PictureAttack, Probe
from trainer.robustness.subject import Subject
from trainer.robustness.text_attack import TextAttack
from trainer.run import Run

CLEAN, DRAWN = "as they are", "as they are, those attacked"
PROVED = "whatever picture is shown"
PICTURE, TEXT, BOTH = "picture attacked", "text attacked", "both attacked"
PICTURE_ONLY = "picture attacked, all there is"
CORRUPTED = "picture corrupted, nothing else shown"
STEPS = {"apgd_ce": 30, "apgd_targeted": 20}
COST_BAR = 0.005
KEPT_BARS = {PICTURE: 0.9, BOTH: 0.6, PICTURE_ONLY: 0.5}
RECOVERED_BAR = 0.5
CORRUPTED_BAR = 0.05


def main() -> int:
    parser = build_parser(__doc__)
    parser.add_argument("--configs", default="default,robust", help="the plain one first")
    parser.add_argument("--rows", type=int, default=6, help="of each fold that are attacked")
    parser.add_argument(
        "--corruptions", action=argparse.BooleanOptionalAction, help="measure them, too"
    )
    args = parser.parse_args()
    names = args.configs.split(",")
    right: dict[str, dict[str, list[bool]]] = {name: {} for name in names}
    for name in names:
        args.config = name
        # Its own: which views there are is decided when a run is prepared.
        with open_run(args) as run:
            config = run.config
            for seed in map(int, args.seeds.split(",")):
                run.config = apply_overrides(config, [f"train.seed={seed}"])
                folds = draw_folds(run.catalogue.labels, seed)
                for fold in range(NUM_FOLDS):
                    began = time.process_time()
                    found = measure(run, folds, fold, args.rows, args.corruptions)
                    for what, of in found.items():
                        right[name].setdefault(what, []).extend(of)
                    told = ", ".join(f"{what} {np.mean(of):.3f}" for what, of in found.items())
                    cost = time.process_time() - began
                    print(f"{name}: seed {seed}, fold {fold}: {told}; {cost:.0f} s", flush=True)
    means = {
        name: {what: float(np.mean(of)) for what, of in found.items()}
        for name, found in right.items()
    }
    whats = list(means[names[0]])
    print_table(
        ["", *whats], [[name, *(f"{of[what]:.4f}" for what in whats)] for name, of in means.items()]
    )
    missed = [of for name in names[1:] for of in missed_bars(means[names[0]], means[name], name)]
    print("missed:", "; ".join(missed) or "nothing")
    asked = {"label": args.label, "set": args.set, "seeds": args.seeds, "rows": args.rows}
    write_figures(args.out, {**asked, "accuracy": means, "missed": missed})
    return 1 if missed else 0


def measure(
    run: Run, folds: np.ndarray, fold: int, num_rows: int, corruptions: bool
) -> dict[str, list[bool]]:
    """Returns which rows of a fold are answered rightly, by what was done to them."""
    network = fit_fold(run, folds, fold)
    held_out = np.flatnonzero(folds == fold)
    true = run.catalogue.class_ids[held_out]
    votes, _ = run.vote(network, held_out)
    found = {CLEAN: (network.pool(votes).argmax(axis=1) == true).tolist()}
    subject = Subject(run.card([]), network.branches, network.scorer())
    values = list(read_values(run.store.sources[0], run.catalogue.inputs, held_out))
    proved = certify_pictures(Bench(subject, values, true))
    if proved is not None:
        found[PROVED] = proved.tolist()
    if not num_rows:
        return found
    drawn = np.random.default_rng(fold).permutation(len(true))[:num_rows]
    bench = Bench(subject, [values[row] for row in drawn], true[drawn])

    def holds(probe: Probe, on: Bench = bench) -> np.ndarray:
        return probe.run(on, lambda rows: None).answers == on.class_ids

    attacks = [
        PictureAttack(group="", name=name, attack=name, options={"eps": EPS / 255, "steps": steps})
        for name, steps in STEPS.items()
    ]
    found[DRAWN] = np.array(found[CLEAN])[drawn].tolist()
    is_all = len(run.catalogue.inputs) == 1
    found[PICTURE_ONLY if is_all else PICTURE] = np.all(
        [holds(of) for of in attacks], axis=0
    ).tolist()
    if any(spec.kind == "text" for spec in run.catalogue.inputs):
        reworded = TextAttack(group="", name="words", share=WORD_SHARE).run(bench, lambda _: None)
        told = reworded.answers == bench.class_ids
        after = Bench(subject, [reworded.changed[row] for row in range(len(drawn))], true[drawn])
        found[TEXT] = told.tolist()
        found[BOTH] = (told & holds(attacks[0], after)).tolist()
    if corruptions:
        plan = build_plan(run.catalogue.inputs, attackable=False)
        group = CORRUPTED_WITH_ALL if is_all else CORRUPTED_ALONE
        kinds = [holds(probe) for probe in plan if probe.group == group]
        found[CORRUPTED] = np.concatenate(kinds).tolist()
    return found


def missed_bars(plain: dict[str, float], hard: dict[str, float], name: str) -> list[str]:
    """Returns which bars a hardened configuration misses beside the plain one."""
    missed = []
    if PICTURE_ONLY not in plain and hard[CLEAN] < plain[CLEAN] - COST_BAR:
        missed.append(f"{name}: {CLEAN}")
    if DRAWN not in plain:
        return missed
    for what, kept in KEPT_BARS.items():
        if what in hard and hard[what] < kept * hard[DRAWN]:
            missed.append(f"{name}: {what} keeps {hard[what] / hard[DRAWN]:.2f} of {kept}")
    for what in (PICTURE, TEXT, BOTH):
        if what not in plain:
            continue
        lost = plain[DRAWN] - plain[what]
        if lost > 0 and hard[what] - plain[what] < RECOVERED_BAR * lost:
            recovered = (hard[what] - plain[what]) / lost
            missed.append(f"{name}: {what} recovers {recovered:.2f} of {RECOVERED_BAR}")
    if CORRUPTED in plain and hard[CORRUPTED] < plain[CORRUPTED] + CORRUPTED_BAR:
        missed.append(f"{name}: {CORRUPTED}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
