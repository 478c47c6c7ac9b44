from hypothesis import given
from hypothesis import strategies as st

from components.statistics.first_records import FirstRecords

RECORDS = st.lists(st.tuples(st.integers(0, 9), st.text("abc", max_size=2)))


@given(RECORDS, RECORDS)
def test_the_lowest_keys_are_kept_whoever_has_seen_them(first, second):
    parts = []
    for records in (first, second, first + second):
        part = FirstRecords(4)
        for key, record_id in records:
            part.add(key, record_id, f"note {key}")
        parts.append(part)
    parts[1].merge(parts[0])
    wanted = sorted(first + second)[:4]
    for found in parts[1:]:
        assert found.ids() == [record_id for _, record_id in wanted]
        assert found.keyed() == [(record_id, key) for key, record_id in wanted]
        assert found.noted() == [(record_id, f"note {key}") for key, record_id in wanted]
        assert bool(found) == bool(wanted)
