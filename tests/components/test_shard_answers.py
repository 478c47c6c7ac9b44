"""A model is loaded once by a process, and again when another one has taken its place."""

import threading
import time

import pytest

from components import shard_answers
from components.shard_answers import describe_model, load_predictor
from trainer.inputs import InputSpec


@pytest.fixture
def loads(monkeypatch):
    """Returns the models that were loaded, in place of which there is none."""
    loaded = []

    class Predictor:
        """Loads as `trainer.predictor.Predictor` does: at the first call, and slowly."""

        def __init__(self, model):
            self.model = model
            self.card = self
            self.inputs = (InputSpec("text", "text", ("title",)),)
            self.is_loaded = False

        def call(self, rows, signature):
            assert list(rows) == [{"text": b""}]
            assert signature == "serving_default"
            if not self.is_loaded:
                time.sleep(0.05)
                loaded.append(self.model)
                self.is_loaded = True

    monkeypatch.setattr(shard_answers, "Predictor", Predictor)
    shard_answers._load.cache_clear()
    yield loaded
    shard_answers._load.cache_clear()


def test_threads_of_a_worker_load_it_once(loads):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_predictor("folder", "content")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["folder"]
    assert len(found) == 8
    assert all(one is found[0] and one.is_loaded for one in found)


def test_two_models_stay_and_what_has_changed_in_its_place_is_loaded(loads):
    for model in ("candidate", "baseline", "candidate", "baseline"):
        load_predictor(model, "content")
    assert loads == ["candidate", "baseline"]
    load_predictor("candidate", "other content")
    assert loads == ["candidate", "baseline", "candidate"]


def test_a_model_is_described_by_what_is_in_its_newest_version(tmp_path):
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "saved_model.pb").write_text(version)
    second = describe_model(tmp_path)
    assert second["model"] == str(tmp_path / "2")
    (tmp_path / "2" / "saved_model.pb").write_text("3")
    third = describe_model(tmp_path)
    assert third["model"] == second["model"]
    assert third["content"] != second["content"]
    (tmp_path / "1").rename(tmp_path / "3")
    (tmp_path / "3" / "saved_model.pb").write_text("3")
    assert describe_model(tmp_path) == {"model": str(tmp_path / "3"), "content": third["content"]}
