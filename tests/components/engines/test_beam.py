"""Shards done by Apache Beam. `make test-beam` installs it beside what it cannot live with."""

import pytest

from components.shards import find_engine, run_shards

beam = pytest.importorskip("apache_beam")


@pytest.fixture(params=["beam", "dask"])
def engine(request):
    if request.param == "beam":
        return find_engine("beam")
    return find_engine(f"beam:dask:{request.getfixturevalue('cluster').scheduler_address}")


@pytest.fixture
def run(importable, tmp_path):
    def go(engine, numbers=20, **shared):
        specs = [{"number": number} for number in range(numbers)]
        shared = {"calls": str(tmp_path), **shared}
        return list(run_shards("Squares", importable.work, specs, shared, tmp_path / "n", engine))

    go.calls = lambda: sorted(int(path.name.split("-")[0]) for path in tmp_path.glob("*-*"))
    return go


def test_each_shard_is_done_once(run, engine):
    assert run(engine) == [number**2 for number in range(20)]
    assert run.calls() == list(range(20))
    assert len(run(engine)) == 20
    assert len(run.calls()) == 20


def test_what_is_wrong_with_a_shard_is_told_as_it_was_said(run, engine):
    with pytest.raises(ValueError, match=r"^The number 3 cannot be squared\.$"):
        run(engine, broken=3)
    assert run(engine) == [number**2 for number in range(20)]


def test_a_killed_worker_costs_its_own_shard_a_second_try(run, cluster, tmp_path):
    engine = find_engine(f"beam:dask:{cluster.scheduler_address}")
    assert run(engine, deadly=7) == [number**2 for number in range(20)]
    assert (tmp_path / "killed").exists()
    assert run.calls().count(7) == 2
    assert len(list((tmp_path / "files").iterdir())) == 20
