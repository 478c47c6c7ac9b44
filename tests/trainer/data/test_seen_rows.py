from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from trainer.data.seen_rows import digest_rows
from trainer.data.table import Table
from trainer.inputs import InputSpec

INPUTS = (InputSpec("text", "text", ("title", "note")), InputSpec("price", "number", ("price",)))


def digest(**columns):
    return digest_rows(Table(pd.DataFrame(columns), Path()), INPUTS)


def test_rows_are_the_same_where_all_that_is_read_is_the_same():
    known = digest(
        title=["a", "b", "ab"], note=["x", "y", ""], price=["1", "2", "3"], other=[1, 2, 3]
    )
    assert known.dtype == np.uint64
    assert len(set(known)) == 3
    # Another order, another type of the number, other columns that are not read.
    again = digest(price=[2.0, 1.0], title=["b", "a "], note=["y", "x"], label=["p", "q"])
    np.testing.assert_array_equal(again, known[[1, 0]])
    # Cells do not run together, and what is missing is empty.
    assert not np.isin(digest(title=["a", "ax"], note=["bx", ""], price=["1", "1"]), known).any()
    np.testing.assert_array_equal(digest(title=["ab"], price=["3"]), known[2:])


def test_a_picture_counts_by_its_bytes_and_a_number_as_it_is_kept(tmp_path):
    inputs = (InputSpec("image_bytes", "image", ("photo",)), INPUTS[1])
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "blue.png")

    def digest(photos, price):
        frame = pd.DataFrame({"photo": photos, "price": price})
        return digest_rows(Table(frame, tmp_path), inputs)

    of_files = digest(["red.png", "blue.png", "", "gone.png"], ["7.99"] * 4)
    assert len(set(of_files)) == 3  # what is missing is not there
    contents = [(tmp_path / name).read_bytes() for name in ("red.png", "blue.png")]
    of_bytes = digest([*contents, None, None], [float(np.float32(7.99))] * 4)
    np.testing.assert_array_equal(of_bytes, of_files)


def test_a_table_without_rows_has_none():
    assert digest(title=[], price=[]).shape == (0,)
