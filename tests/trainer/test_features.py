import gc
import weakref

import numpy as np
import pytest

from trainer.features import (
    StackedRows,
    array_batches,
    has_arrays,
    open_arrays,
    write_arrays,
)
from trainer.sample import Sample


def batches(*sizes, fields=("a", "b")):
    start = 0
    for size in sizes:
        rows = np.arange(start, start + size)
        values = {"a": np.float32(rows)[:, None].repeat(3, axis=1), "b": rows % 2 == 0}
        yield {name: values[name] for name in fields}
        start += size


def test_arrays_come_back(tmp_path):
    folder = tmp_path / "f"
    assert not has_arrays(folder)
    write_arrays(folder, batches(4, 4, 2), 10)
    assert has_arrays(folder)
    arrays = open_arrays(folder)
    assert set(arrays) == {"a", "b"}
    assert arrays["a"].dtype == np.float32
    np.testing.assert_array_equal(arrays["a"], np.arange(10)[:, None].repeat(3, axis=1))
    np.testing.assert_array_equal(arrays["b"], np.arange(10) % 2 == 0)


@pytest.mark.parametrize("num_rows", [9, 11])
def test_a_wrong_number_of_rows_leaves_nothing(tmp_path, num_rows):
    with pytest.raises(ValueError):
        write_arrays(tmp_path / "f", batches(4, 4, 2), num_rows)
    assert not has_arrays(tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_no_error(tmp_path):
    write_arrays(tmp_path / "f", [], 0)
    assert has_arrays(tmp_path / "f")
    assert open_arrays(tmp_path / "f") == {}


def make(num_rows=10, batch_size=4, **options):
    ids = np.arange(num_rows)
    # Every third row is not in the sample.
    rows = ids + ids // 2
    values = np.zeros(2 * num_rows + 1)
    values[rows] = ids * 10.0
    arrays = {"x": StackedRows([values[:7], values[7:]])}
    return array_batches(arrays, Sample.of(rows, ids, ids * 0.5), batch_size, **options)


def test_stacked_rows_are_the_rows_of_one_array():
    whole = np.arange(24).reshape(8, 3)
    stacked = StackedRows([whole[:2], whole[2:3], whole[3:]])
    assert stacked.shape == (8, 3)
    rows = np.array([7, 0, 2, 2, 1, 3])
    np.testing.assert_array_equal(stacked[rows], whole[rows])
    assert stacked[rows].dtype == whole.dtype


def ids(data, batches=3):
    return np.concatenate([batch[1] for batch in data.take(batches).as_numpy_iterator()]).tolist()


def test_every_row_comes_once_with_its_own_values():
    data = make(seed=3)
    assert sorted(ids(data)) == list(range(10))
    for tensors, class_ids, weights in data.take(7).as_numpy_iterator():
        np.testing.assert_array_equal(tensors["x"], class_ids * 10.0)
        np.testing.assert_array_equal(weights, class_ids * 0.5)


def test_without_a_seed_the_rows_come_once_in_their_order():
    sizes = [len(class_ids) for _, class_ids, _ in make()]
    assert sizes == [4, 4, 2]
    assert ids(make(), batches=-1) == list(range(10))


def test_order_depends_on_seed_and_epoch_only():
    rows = ids(make(seed=3), batches=12)
    orders = [rows[i : i + 10] for i in range(0, 40, 10)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    for epoch, order in enumerate(orders):
        assert ids(make(seed=3, first_epoch=epoch)) == order
    assert ids(make(seed=4)) != orders[0]


def test_an_epoch_of_many_slabs_has_full_batches():
    data = make(num_rows=150, batch_size=2, seed=0)
    sizes = [len(class_ids) for _, class_ids, _ in data.take(75)]
    assert sizes == [2] * 75
    assert sorted(ids(data, 75)) == list(range(150))


def test_no_rows_are_no_batches():
    assert list(make(num_rows=0)) == []


def test_files_close_with_the_data_set(tmp_path):
    write_arrays(tmp_path / "x", [{"x": np.zeros((10, 1), np.float32)}], 10)
    array = open_arrays(tmp_path / "x")["x"]
    file = weakref.ref(array._mmap)
    sample = Sample.of(np.arange(10), np.arange(10))
    data = array_batches({"x": StackedRows([array])}, sample, 4, seed=0)
    assert len(ids(data)) == 10
    del array
    gc.collect()
    assert file() is not None
    del data
    gc.collect()
    assert file() is None
