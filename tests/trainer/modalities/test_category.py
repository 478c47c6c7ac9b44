from pathlib import Path

import pytest

from trainer.modalities.category import CategoryModality


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ([" Red "], b"Red"),
        (["red"], b"red"),
        (["红"], "红".encode()),
        ([3.0], b"3"),
        ([True], b"True"),
        (["", None], b""),
    ],
)
def test_values_are_stripped_and_kept(cells, value):
    assert CategoryModality().read(cells, Path()) == (value, "")
