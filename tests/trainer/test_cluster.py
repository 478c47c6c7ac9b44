import json

import pytest

from trainer.cluster import Cluster, read_cluster

TWO = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, Cluster(1, 0)),
        ({"cluster": TWO, "task": {"type": "worker", "index": 1}}, Cluster(2, 1)),
        ({"cluster": {"chief": ["c:1"], **TWO}, "task": {"type": "chief", "index": 0}}, Cluster(3)),
        (
            {"cluster": {"chief": ["c:1"], **TWO}, "task": {"type": "worker", "index": 1}},
            Cluster(3, 2),
        ),
    ],
)
def test_who_is_there(config, expected, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps(config) if config else "")
    assert read_cluster() == expected


@pytest.mark.parametrize(
    "told",
    [
        "no JSON",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {}, "task": {"index": 0}}',
        json.dumps({"cluster": TWO, "task": {"type": "worker", "index": 2}}),
    ],
)
def test_what_cannot_be_understood_is_refused(told, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", told)
    with pytest.raises(ValueError, match="TF_CONFIG cannot be understood"):
        read_cluster()
