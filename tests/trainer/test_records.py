import numpy as np
import pytest
import tensorflow as tf

from trainer.records import count_records, read_records, write_records

SPECS = {
    "text": tf.TensorSpec([], tf.string),
    "pixels": tf.TensorSpec([2, 3, 1], tf.uint8),
    "price": tf.TensorSpec([], tf.float32),
    "vector": tf.TensorSpec([4], tf.float32),
    "ids": tf.TensorSpec([None], tf.int32),
    "weights": tf.TensorSpec([None], tf.float32),
    "present": tf.TensorSpec([], tf.bool),
    "flags": tf.TensorSpec([3], tf.bool),
    "class_id": tf.TensorSpec([], tf.int32),
}


def make_rows(num_rows):
    rng = np.random.default_rng(0)
    texts = [b"", "中 😀".encode(), b"\x00\xff\n raw", b"x" * 70_000]
    return [
        {
            "text": texts[row % len(texts)],
            "pixels": rng.integers(0, 256, (2, 3, 1), np.uint8),
            "price": np.nan if row % 3 == 0 else row + 0.1,
            "vector": rng.normal(size=4),
            "ids": np.arange(row % 4) + row,
            "weights": np.arange(row % 4) + 0.5,
            "present": row % 2 == 0,
            "flags": rng.integers(0, 2, 3).astype(bool),
            "class_id": row,
        }
        for row in range(num_rows)
    ]


@pytest.mark.parametrize("seed", [None, 5])
def test_rows_come_as_often_as_asked(tmp_path, seed):
    write_records(tmp_path / "r", make_rows(10), SPECS, rows_per_shard=4)
    times = np.array([0, 3, 1, 0, 2, 0, 1, 0, 0, 3])
    dataset = read_records(tmp_path / "r", 4, shuffle_seed=seed, times=times)
    found = order(dataset)
    expected = np.repeat(np.arange(10), times).tolist()
    assert (found if seed is None else sorted(found)) == expected
    assert (seed is None) == (found == expected)


def order(dataset):
    return [int(i) for batch in dataset for i in batch["class_id"]]


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_every_type_comes_back(tmp_path, batch_size):
    rows = make_rows(10)
    assert write_records(tmp_path / "r", rows, SPECS, rows_per_shard=4) == 10
    assert count_records(tmp_path / "r") == 10
    dataset = read_records(tmp_path / "r", batch_size)
    assert {name: spec.dtype for name, spec in dataset.element_spec.items()} == {
        name: spec.dtype for name, spec in SPECS.items()
    }
    found = 0
    for batch in dataset.as_numpy_iterator():
        expected = rows[found : found + batch_size]
        found += len(expected)
        longest = max(1, *(len(row["ids"]) for row in expected))
        assert batch["ids"].shape == batch["weights"].shape == (len(expected), longest)
        for name in SPECS:
            for value, row in zip(batch[name], expected, strict=True):
                wanted = row[name]
                if name in ("ids", "weights"):
                    wanted = np.pad(wanted, (0, longest - len(wanted)))
                if name == "text":
                    assert value == wanted
                else:
                    np.testing.assert_array_equal(value, np.asarray(wanted, value.dtype))
    assert found == 10


def test_shards_are_counted_in_their_names(tmp_path):
    write_records(tmp_path / "r", make_rows(10), SPECS, rows_per_shard=4)
    names = sorted(path.name for path in (tmp_path / "r").iterdir())
    assert names == [*(f"records-0000{i}-of-00003.tfrecord" for i in range(3)), "spec.json"]
    assert order(read_records(tmp_path / "r", 3)) == list(range(10))


def test_reads_only_what_is_asked_for(tmp_path):
    write_records(tmp_path / "r", make_rows(3), SPECS)
    names = (name for name in ("price", "class_id"))
    assert set(read_records(tmp_path / "r", 2, names=names).element_spec) == {"price", "class_id"}


def test_shuffles_anew_at_every_pass_and_repeats_by_seed(tmp_path):
    write_records(tmp_path / "r", make_rows(40), SPECS, rows_per_shard=10)
    dataset = read_records(tmp_path / "r", 7, shuffle_seed=1)
    first, second = order(dataset), order(dataset)
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert first != list(range(40))
    again = read_records(tmp_path / "r", 7, shuffle_seed=1)
    assert [order(again), order(again)] == [first, second]
    assert order(read_records(tmp_path / "r", 7, shuffle_seed=2)) != first


def test_shuffling_mixes_shards(tmp_path):
    write_records(tmp_path / "r", make_rows(40), SPECS, rows_per_shard=10)
    firsts = order(read_records(tmp_path / "r", 10, shuffle_seed=0))[:10]
    assert len({row // 10 for row in firsts}) > 1


def test_nothing_is_lost_where_order_does_not_matter(tmp_path):
    write_records(tmp_path / "r", make_rows(30), SPECS, rows_per_shard=7)
    dataset = read_records(tmp_path / "r", 4, shuffle_seed=0, deterministic=False)
    assert sorted(order(dataset)) == list(range(30))


@pytest.mark.parametrize("shuffle_seed", [None, 0])
def test_no_rows_are_no_error(tmp_path, shuffle_seed):
    assert write_records(tmp_path / "r", [], SPECS) == 0
    assert count_records(tmp_path / "r") == 0
    assert order(read_records(tmp_path / "r", 4, shuffle_seed=shuffle_seed)) == []


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    def rows():
        yield from make_rows(3)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_records(tmp_path / "r", rows(), SPECS)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No records at .*nowhere: spec\.json is missing"):
        read_records(tmp_path / "nowhere", 4)


def test_large_tensors_have_files_of_their_own(tmp_path):
    specs = {**SPECS, "picture": tf.TensorSpec([80, 80, 3], tf.uint8)}
    pictures = np.random.default_rng(0).integers(0, 256, (5, 80, 80, 3), np.uint8)
    rows = [
        {**row, "picture": picture} for row, picture in zip(make_rows(5), pictures, strict=True)
    ]
    write_records(tmp_path / "r", rows, specs, rows_per_shard=3)
    sizes = [path.stat().st_size for path in sorted((tmp_path / "r").glob("*.picture"))]
    assert sizes == [3 * 80 * 80 * 3, 2 * 80 * 80 * 3]
    for seed in (None, 0):
        for batch in read_records(tmp_path / "r", 2, shuffle_seed=seed).as_numpy_iterator():
            np.testing.assert_array_equal(batch["picture"], pictures[batch["class_id"]])
    only = read_records(tmp_path / "r", 5, names=["picture"])
    np.testing.assert_array_equal(next(only.as_numpy_iterator())["picture"], pictures)


def test_rows_of_another_shape_are_refused(tmp_path):
    row = {**make_rows(1)[0], "pixels": np.zeros((3, 2, 1))}
    with pytest.raises(
        ValueError, match=r"'pixels' must be shaped \(2, 3, 1\). Received: shape \(3,"
    ):
        write_records(tmp_path / "r", [row], SPECS)
