"""The same dataset from a cluster, also when its workers die."""

import os
import signal
import tempfile
import threading
import time

import psutil
import pytest
from distributed import LocalCluster

from crystalvision.datasets import Dataset, verify
from crystalvision.errors import ClusterError, InputError
from crystalvision.sources import Cluster, generate, repair
from crystalvision.sources import _cluster as module


@pytest.fixture(scope="module")
def expected(numbers, tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("expected") / "d.zarr"
    generate(numbers(), path)
    return contents(path)


@pytest.fixture(scope="module")
def cluster():
    """Two workers, which no test kills."""
    with Cluster.local(2) as started:
        yield started


def pids(cluster):
    return list(cluster._client.run(os.getpid).values())


def test_workers_make_the_same_bytes(numbers, tmp_path, contents, expected, cluster):
    path = tmp_path / "d.zarr"
    told = []
    assert len({os.getpid(), *pids(cluster)}) == 3
    generate(numbers(), path, cluster=cluster, advance=told.append)
    assert contents(path) == expected
    assert sum(told) == 46


def test_nobody_else_reaches_a_cluster_and_it_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Cluster.local(1) as cluster:
        processes = [psutil.Process(), *map(psutil.Process, pids(cluster))]
        found = [each for one in processes for each in one.net_connections("all")]
        addresses = {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}
        assert cluster.note == ""
    assert addresses == {"127.0.0.1"}
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_without_workers_is_told():
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", silence_logs=50) as running,
        Cluster.at(running.scheduler_address) as cluster,
    ):
        assert cluster.note == (
            "no worker has joined the cluster yet; it waits for one: start it with "
            f"`dask worker {running.scheduler_address}`"
        )


@pytest.mark.slow
def test_a_worker_that_hangs_is_not_waited_for():
    with Cluster.local(1) as cluster:
        (worker,) = map(psutil.Process, pids(cluster))
        worker.suspend()
        started = time.monotonic()
    assert time.monotonic() - started < 15
    assert not worker.is_running()


def test_a_cluster_that_runs_already_makes_the_same_bytes(numbers, tmp_path, contents, expected):
    path = tmp_path / "d.zarr"
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as running,
        Cluster.at(running.scheduler_address) as cluster,
    ):
        generate(numbers(), path, cluster=cluster)
    assert contents(path) == expected


@pytest.mark.slow  # ten seconds; run by CI
def test_what_a_killed_worker_was_making_is_made_again(numbers, tmp_path, contents, expected):
    path = tmp_path / "d.zarr"
    with Cluster.local(1) as cluster:
        victims = pids(cluster)
        work = threading.Thread(
            target=generate, args=(numbers(sleep=0.05), path), kwargs={"cluster": cluster}
        )
        work.start()
        while not list(path.glob("images/c/*/0/0/0")):
            time.sleep(0.01)
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        work.join(timeout=300)  # a machine that does much else takes minutes
        assert set(pids(cluster)).isdisjoint(victims)
    assert contents(path) == expected


def test_a_damaged_dataset_is_repaired_by_workers(numbers, tmp_path, contents, expected, cluster):
    path = tmp_path / "d.zarr"
    generate(numbers(), path)
    (path / "images/c/2/0/0/0").write_bytes(b"damaged")
    (path / "label/c/5").unlink()
    done = repair(path, plugins=numbers().plugins, cluster=cluster)
    assert done.remade == (2, 5)
    assert contents(path) == expected


def test_an_error_of_the_source_comes_through(numbers, tmp_path, cluster):
    path = tmp_path / "d.zarr"
    with pytest.raises(InputError, match="sample 30 cannot be made"):
        generate(numbers(refuse=30), path, cluster=cluster)
    # The workers are free for what comes next.
    generate(numbers(), path, mode="overwrite", cluster=cluster)
    assert verify(path) == []


@pytest.mark.slow  # distributed waits a minute for it to come back
def test_a_scheduler_that_goes_away_is_told(numbers, tmp_path):
    with LocalCluster(1, threads_per_worker=1, processes=False, dashboard_address=None) as local:
        closing = threading.Event()

        def close(_count):
            if not closing.is_set():
                closing.set()
                local.sync(local.scheduler.close)

        with (
            pytest.raises(ClusterError, match=r"cannot be reached any more; .* --resume"),
            Cluster.at(local.scheduler_address) as cluster,
        ):
            generate(numbers(), tmp_path / "d.zarr", cluster=cluster, advance=close)
    generate(numbers(), tmp_path / "d.zarr", mode="resume")
    assert verify(tmp_path / "d.zarr") == []


@pytest.mark.slow
def test_a_shard_that_kills_its_workers_is_named(numbers, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_DEATHS", 0)
    with (
        Cluster.local(1) as cluster,
        pytest.raises(ClusterError, match="shard 11 could not be made: 1 workers died of it"),
    ):
        generate(numbers(die=45), tmp_path / "d.zarr", cluster=cluster)
    dataset = Dataset.open(tmp_path / "d.zarr", allow_incomplete=True)
    assert 11 in dataset.missing_shards
    assert 0 not in dataset.missing_shards


def test_asking_for_no_worker_or_gpus_that_are_not_here_is_refused(monkeypatch):
    with pytest.raises(InputError, match="0 workers were asked for"), Cluster.local(0):
        pass
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    with (
        pytest.raises(InputError, match="3 workers on GPUs were asked for, but 2 are here"),
        Cluster.local(3, device="cuda"),
    ):
        pass


def test_each_worker_sees_one_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    with Cluster.local(2, device="cuda") as cluster:
        seen = cluster._client.run(lambda: os.environ["CUDA_VISIBLE_DEVICES"])
    assert sorted(seen.values()) == ["3", "5"]


def test_clusters_stand_side_by_side_and_other_machines_reach_none(cluster):
    with Cluster.local(1) as second:
        assert set(pids(second)).isdisjoint(pids(cluster))
        sockets = psutil.Process().net_connections("inet")
        listening = {one.laddr.ip for one in sockets if one.status == "LISTEN"}
        assert listening <= {"127.0.0.1", "::1"}


def test_a_scheduler_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(InputError, match=r"--scheduler tcp://127.0.0.1:9: no Dask scheduler"),
        Cluster.at("tcp://127.0.0.1:9"),
    ):
        pass
