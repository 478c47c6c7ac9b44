"""Statistics as TensorFlow Data Validation writes them are read, too."""

import json

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.example_validator.component import COMPONENT
from components.example_validator.executor import execute
from components.schema_gen.component import Parameters
from components.statistics.files import read_statistics, split_folder
from components.statistics.infer_schema import infer_schema
from components.statistics.schemas import by_name, domain_of, write_schema
from components.statistics_gen.page import write_statistics_page

# Laid out as TFDV 1.17 does: a path, a type, common_stats, and histograms of its own.
STATISTICS = """
datasets {{
  num_examples: 1000
  features {{
    path {{ step: "price" }}
    type: FLOAT
    num_stats {{
      common_stats {{
        num_non_missing: 990 num_missing: 10
        min_num_values: 1 max_num_values: 1 avg_num_values: 1 tot_num_values: 990
        num_values_histogram {{
          buckets {{ low_value: 1 high_value: 1 sample_count: 990 }} type: QUANTILES
        }}
      }}
      mean: 50 std_dev: 20 num_zeros: 1 min: 0 median: 45 max: {highest}
      histograms {{
        buckets {{ low_value: 0 high_value: 60 sample_count: 700 }}
        buckets {{ low_value: 60 high_value: {highest} sample_count: 290 }}
        type: STANDARD
      }}
      histograms {{
        buckets {{ low_value: 0 high_value: 45 sample_count: 495 }}
        buckets {{ low_value: 45 high_value: {highest} sample_count: 495 }}
        type: QUANTILES
      }}
    }}
  }}
  features {{
    path {{ step: "tags" }}
    type: INT
    num_stats {{
      common_stats {{
        num_non_missing: 1000 min_num_values: 1 max_num_values: 3 avg_num_values: 2
        tot_num_values: 2000
      }}
      mean: 3 std_dev: 1 min: 1 median: 3 max: 9
    }}
  }}
  features {{
    path {{ step: "colour" }}
    type: STRING
    string_stats {{
      common_stats {{
        num_non_missing: 1000 min_num_values: 1 max_num_values: 1 avg_num_values: 1
        tot_num_values: 1000
      }}
      unique: 3
      top_values {{ value: "red" frequency: {red} }}
      avg_length: 4
      rank_histogram {{
        buckets {{ label: "red" sample_count: {red} }}
        buckets {{ low_rank: 1 high_rank: 1 label: "blue" sample_count: {blue} }}
        buckets {{ low_rank: 2 high_rank: 2 label: "{last}" sample_count: 100 }}
      }}
    }}
  }}
  features {{
    path {{ step: "title" }}
    type: STRING
    string_stats {{
      common_stats {{
        num_non_missing: 1000 min_num_values: 1 max_num_values: 1 avg_num_values: 1
        tot_num_values: 1000
      }}
      unique: 998
      avg_length: 40
      rank_histogram {{
        buckets {{ label: "lamp" sample_count: 2 }}
        buckets {{ low_rank: 1 high_rank: 1 label: "watch" sample_count: 1 }}
      }}
    }}
  }}
}}
"""


@pytest.fixture
def statistics(tmp_path):
    """Returns a function that writes statistics of two splits."""

    def write(name, **changes):
        values = {"highest": 90, "red": 600, "blue": 300, "last": "green", **changes}
        listed = statistics_pb2.DatasetFeatureStatisticsList()
        text_format.Parse(STATISTICS.format(**values), listed)
        for split in ("train", "eval"):
            folder = split_folder(tmp_path / name, split)
            folder.mkdir(parents=True)
            (folder / "FeatureStats.pb").write_bytes(listed.SerializeToString())
        return tmp_path / name

    return write


@pytest.fixture
def schema(statistics):
    return infer_schema(read_statistics(statistics("before")), Parameters(infer_ranges=True))


def test_a_schema_follows_from_them(schema):
    features = by_name(schema)
    assert features["price"].type == schema_pb2.FLOAT
    assert features["price"].float_domain.max == 90
    assert features["price"].presence.min_fraction == 0.94
    assert features["tags"].type == schema_pb2.INT
    assert (features["tags"].value_count.min, features["tags"].value_count.max) == (1, 3)
    assert domain_of(schema, features["colour"]) == {"red", "blue", "green"}
    # The ranks of titles were cut off: these are not all of them.
    assert domain_of(schema, features["title"]) is None


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, set()),
        ({"last": "mauve"}, {("new_value", "colour"), ("drift", "colour")}),
        ({"highest": 900}, {("out_of_range", "price")}),
        ({"red": 500, "blue": 400}, {("drift", "colour")}),
        ({"red": 595, "blue": 305}, set()),
    ],
)
def test_they_are_validated(statistics, schema, tmp_path, changes, wanted):
    write_schema(tmp_path / "schema", schema)
    (tmp_path / "anomalies").mkdir()
    inputs = {
        "statistics": statistics("now", **changes),
        "schema": tmp_path / "schema",
        "baseline": tmp_path / "before",
    }
    execute(inputs, {"anomalies": tmp_path / "anomalies"}, COMPONENT.make_parameters({}), tmp_path)
    found = json.loads((tmp_path / "anomalies" / "anomalies.json").read_text())["anomalies"]
    assert {(one["kind"], one["column"]) for one in found} == wanted


def test_they_are_shown(statistics, tmp_path):
    write_statistics_page(tmp_path / "page.html", read_statistics(statistics("before")))
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h2>colour</h2>" in html
    assert "60.0\u00a0%" in html
