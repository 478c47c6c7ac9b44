from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from serving.deploy.settings import Batching, Model
from serving.deploy.versions import choose_max_batch, find_served, list_batch_sizes


def test_the_newest_version_is_stable_and_alone(model: Path) -> None:
    served = find_served(model, Model())
    assert served.labels == {"stable": 3}
    assert served.folders == {3: model / "export" / "3"}
    assert served.name == "3-33333333"


def test_a_canary_is_served_beside_an_older_stable_version(model: Path) -> None:
    served = find_served(model, Model(stable=1, canary=3))
    assert served.labels == {"stable": 1, "canary": 3}
    assert list(served.folders) == [1, 3]
    assert served.name == "1-11111111-canary3-33333333"


def test_a_version_can_be_given_itself(model: Path) -> None:
    assert find_served(model / "export" / "2", Model()).labels == {"stable": 2}


def test_a_model_outside_of_version_folders_is_version_1(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model / "export" / "2", tmp_path / "saved")
    served = find_served(tmp_path / "saved", Model())
    assert served.folders == {1: tmp_path / "saved"}
    assert served.name == "1-22222222"


def test_half_a_version_is_none(model: Path) -> None:
    (model / "export" / "4").mkdir()
    assert find_served(model, Model()).labels == {"stable": 3}
    with pytest.raises(ValueError, match=r"model.canary must be .* \[1, 2, 3\]. Received: 4"):
        find_served(model, Model(canary=4))


def test_a_version_that_is_not_there_is_refused(model: Path) -> None:
    with pytest.raises(ValueError, match=r"model.stable must be .* \[1, 2, 3\]. Received: 9"):
        find_served(model, Model(stable=9))


def test_the_canary_is_not_the_stable_version(model: Path) -> None:
    with pytest.raises(ValueError, match=r"is 3 \(the newest; set model.stable .*\[1, 2\]"):
        find_served(model, Model(canary=3))


def test_no_model_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No exported model"):
        find_served(tmp_path, Model())


def test_the_batch_fits_every_version(model: Path) -> None:
    card = model / "export" / "1" / "assets.extra" / "taxofuse.json"
    card.write_text(card.read_text().replace('"max_batch": 64', '"max_batch": 24'))
    served = find_served(model, Model(stable=1, canary=3))
    assert (served.max_batch, served.max_request) == (24, 64)
    assert choose_max_batch(Batching(), served) == 24
    assert choose_max_batch(Batching(max_execution_batch_size=16), served) == 16
    with pytest.raises(ValueError, match=r"must be at most 24.*Received: 25"):
        choose_max_batch(Batching(max_execution_batch_size=25), served)


@pytest.mark.parametrize(
    ("max_batch", "sizes"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (24, [1, 2, 4, 8, 16, 24]), (8, [1, 2, 4, 8])],
)
def test_batch_sizes_are_powers_of_two_up_to_the_largest(max_batch: int, sizes: list[int]) -> None:
    assert list_batch_sizes(max_batch) == sizes
