"""The classifier for Python users."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trainer.answers import Answers
from trainer.config import Config, load_config
from trainer.data.table import read_table
from trainer.overrides import apply_overrides

Source = str | Path | pd.DataFrame


class ProductClassifier:
    """Classifies products by picture, text and numbers, whichever a table has.

    ```python
    classifier = ProductClassifier(label="category").fit("products.csv")
    classifier.predict(frame)
    ```

    Args:
        label: Label column, or the columns of the levels from the top down.
        ignore: Columns to leave out.
        config: Name of a configuration, a `.py` file, or a `Config`.
        settings: Settings by dotted name, such as `{"train.head_epochs": 20}`.
        workdir: Folder to keep everything in, and to resume from; a temporary
            one by default, which goes with the object.
    """

    def __init__(
        self,
        label: str | Sequence[str] = (),
        *,
        ignore: Sequence[str] = (),
        config: str | Config = "default",
        settings: Mapping[str, Any] | None = None,
        workdir: str | Path | None = None,
    ) -> None:
        base = load_config(config) if isinstance(config, str) else config
        given: dict[str, Any] = {}
        if label:
            given["label"] = (label,) if isinstance(label, str) else tuple(label)
        if ignore:
            given["ignore"] = tuple(ignore)
        base = dataclasses.replace(base, data=dataclasses.replace(base.data, **given))
        self.config = apply_overrides(base, [f"{k}={v}" for k, v in (settings or {}).items()])
        if workdir is None:
            workdir = tempfile.mkdtemp(prefix="taxofuse-")
            weakref.finalize(self, shutil.rmtree, workdir, ignore_errors=True)
        self.workdir = Path(workdir)
        self._predictor: Any = None

    def fit(self, data: Source) -> ProductClassifier:
        """Trains on a table and exports; picture paths of a DataFrame are
        relative to `data.attrs["folder"]`, else to the current folder.

        Raises:
            ValueError, FileNotFoundError: where the table or a setting does not fit.
        """
        from trainer.run import Run

        config, source = self.config, None
        if isinstance(data, pd.DataFrame):
            source = data
        else:
            table = dataclasses.replace(config.data, table=str(data))
            config = dataclasses.replace(config, data=table)
        run = Run(config, self.workdir, source=source)
        run.prepare()
        run.train()
        run.finish()
        self._predictor = None
        return self

    @property
    def classes(self) -> list[str]:
        """Labels, in the order of the columns of `predict_proba`."""
        return list(self._get_predictor().card.class_names)

    def answer(self, data: Source) -> Answers:
        """Answers every row with probabilities, presences and status."""
        return self._get_predictor().answer(read_table(data))

    def predict(self, data: Source) -> pd.DataFrame:
        """Returns `id`, `label`, `confidence`, `status` and levels of every row, in order."""
        return self.answer(data).to_frame(self._get_predictor().card.level_names)

    def predict_proba(self, data: Source) -> np.ndarray:
        """Returns probabilities `(rows, num_classes)`, columns as in `classes`."""
        return self.answer(data).scores

    def evaluate(self, data: Source, out: str | Path | None = None) -> dict[str, Any]:
        """Compares the answers with the labels of a table.

        Args:
            data: With the label columns that were trained on.
            out: Folder for a report, if wanted.

        Returns:
            What `metrics.json` holds.
        """
        from trainer.evaluation import evaluate_table

        self._get_predictor()
        return evaluate_table(self.workdir, read_table(data), Path(out) if out else None)

    def save(self, path: str | Path) -> Path:
        """Copies the trained classifier into a new folder that `load` and `--model` take."""
        path = Path(path)
        self._get_predictor()
        if path.exists() and any(path.iterdir()):
            raise FileExistsError(f"The folder to save to must be empty. Received: {path}.")
        from trainer.files import new_folder

        with new_folder(path) as temporary:
            shutil.copytree(self.workdir / "export", temporary / "export")
            for name in ("config.json", "model.keras", "preprocessing.json"):
                shutil.copy2(self.workdir / name, temporary / name)
        return path

    @classmethod
    def load(cls, path: str | Path) -> ProductClassifier:
        """Loads what `save` wrote, or a workdir of `taxofuse run`."""
        import json

        path = Path(path)
        file = path / "config.json"
        if not file.is_file():
            raise FileNotFoundError(f"No classifier in {path.absolute()}: config.json is missing.")
        config = Config.from_dict(json.loads(file.read_text(encoding="utf-8")))
        classifier = cls(config=config, workdir=path)
        classifier._get_predictor()
        return classifier

    def _get_predictor(self) -> Any:
        if self._predictor is None:
            from trainer.artefact import find_export
            from trainer.predictor import Predictor

            try:
                find_export(self.workdir)
            except FileNotFoundError as error:
                raise ValueError("This classifier is not trained yet: call fit() first.") from error
            self._predictor = Predictor(self.workdir)
        return self._predictor
