from pathlib import Path

import pandas as pd
import pytest

from trainer.data.table import Table
from trainer.data.unlabeled import find_copies, read_unlabeled, stack_tables
from trainer.inputs import InputSpec

INPUTS = (
    InputSpec("image_bytes", "image", ("picture",)),
    InputSpec("text", "text", ("title", "description")),
)


def test_only_the_columns_that_are_read_must_be_there(tmp_path):
    frame = pd.DataFrame({"title": ["a"], "description": [""], "picture": ["a.jpg"]})
    frame.to_csv(tmp_path / "more.csv", index=False)
    assert len(read_unlabeled(str(tmp_path / "more.csv"), INPUTS).frame) == 1


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"title": ["a"]}), r"without \['picture', 'description'\].*--ignore"),
        (pd.DataFrame({"picture": [], "title": [], "description": []}), "must have rows"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, frame, message):
    frame.to_csv(tmp_path / "more.csv", index=False)
    with pytest.raises(ValueError, match=rf"data.unlabeled.*{message}"):
        read_unlabeled(str(tmp_path / "more.csv"), INPUTS)


def test_tables_of_different_folders_keep_their_files():
    one = Table(pd.DataFrame({"picture": ["a.jpg", ""], "title": ["x", "y"]}), Path("/one"))
    two = Table(pd.DataFrame({"picture": ["deep\\a.jpg", b"JPEG"], "other": [1, 2]}), Path("/two"))
    frame = stack_tables([one, two], INPUTS).frame
    assert frame["picture"].tolist() == ["/one/a.jpg", "", "/two/deep/a.jpg", b"JPEG"]
    assert frame["title"].tolist()[:2] == ["x", "y"]
    assert frame["title"].isna().tolist() == [False, False, True, True]
    assert "other" not in frame


def test_copies_are_found_directly_and_in_a_chain():
    title = "Blue ceramic mug with a gold rim and handle"
    labelled = Table(pd.DataFrame({"title": [title], "description": ["For tea"]}), Path())
    rows = [(title.upper(), "For tea"), ("Steel pan for four fried eggs", "Heavy")]
    unlabeled = Table(pd.DataFrame(rows, columns=["title", "description"]), Path())
    assert find_copies(labelled, unlabeled, INPUTS[1:]).tolist() == [True, False]


def test_the_very_same_is_a_copy_however_little_it_says():
    rows = [("Mug", 10.0), ("Lamp", None)]
    inputs = (InputSpec("text", "text", ("title",)), InputSpec("price", "number", ("price",)))
    labelled = Table(pd.DataFrame(rows, columns=["title", "price"]), Path())
    rows = [("Mug ", "10"), ("Mug", "11"), ("Lamp", ""), ("Lamp", "10")]
    unlabeled = Table(pd.DataFrame(rows, columns=["title", "price"]), Path())
    assert find_copies(labelled, unlabeled, inputs).tolist() == [True, False, True, False]
