"""What is told of values does not depend on who has counted them."""

from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.statistics.value_column import ValueColumn

LIMIT = 8


def told(column):
    feature = statistics_pb2.FeatureNameStatistics()
    column.write(feature)
    return feature.SerializeToString(deterministic=True), column.records()


def summarize(rows):
    column = ValueColumn(LIMIT)
    for row, value in rows:
        column.add(value.encode(), row, f"p{row}")
    return column


@given(
    st.lists(st.sampled_from("abcdefghijklmnop"), max_size=80),
    st.sampled_from([1, 2, 5, 10, 20, 50]),
    st.randoms(use_true_random=False),
)
def test_any_shards_in_any_order_tell_the_same(values, size, rng):
    rows = list(enumerate(values))
    shards = [rows[start : start + size] for start in range(0, len(rows), size)]
    rng.shuffle(shards)
    merged = ValueColumn(LIMIT)
    for shard in shards:
        merged.merge(summarize(shard))
    assert told(merged) == told(summarize(rows))


def test_first_records_are_told_while_all_rows_are_counted():
    rows = list(enumerate("abcdefgha" * 3))
    assert summarize(rows).records()["values"]["a"] == ["p0", "p8", "p9"]
    assert summarize([*rows, (99, "one too many")]).records() == {}
