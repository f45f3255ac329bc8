import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from crystalvision.datasets import Dataset, DatasetWriter, verify
from crystalvision.errors import InputError, StorageError

SCRIPT = str(Path(__file__).parent / "numbered.py")


def contents(path):
    """Every file by name, but the lock."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def start(path, *options):
    process = subprocess.Popen(
        [sys.executable, SCRIPT, str(path), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_random_moments_and_resumed_it_is_the_same(numbered, tmp_path):
    header = numbered.make_header(samples=160)
    whole = numbered.write(tmp_path / "whole.zarr", header)
    path = tmp_path / "killed.zarr"
    chance = random.Random(20240607)
    kills = 0
    for _ in range(5):
        with start(path, "--samples", "160") as process:
            time.sleep(chance.uniform(0.0, 0.12))
            process.kill()
        kills += process.returncode == -signal.SIGKILL
        if path.exists() and (path / "zarr.json").exists():
            missing = Dataset.open(path, allow_incomplete=True).missing_shards
            found = {problem.shard for problem in verify(path) if problem.shard is not None}
            assert found == set(missing)
    assert kills >= 2
    numbered.write(path, header, "resume")
    assert verify(path) == []
    killed, intact = Dataset.open(path), Dataset.open(whole)
    np.testing.assert_array_equal(killed.images(range(160)), intact.images(range(160)))
    assert contents(path) == contents(whole)


def test_shards_written_in_any_order_give_the_same_files(numbered, tmp_path):
    forth = numbered.write(tmp_path / "a.zarr", shards=[0, 1, 2])
    back = numbered.write(tmp_path / "b.zarr", shards=[2, 0, 1])
    assert contents(forth) == contents(back)


def test_a_shard_of_zeros_is_present(numbered, tmp_path):
    header = numbered.make_header()
    path = tmp_path / "d.zarr"
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            images, columns = numbered.make_shard(header, shard)
            zeros = {name: np.zeros_like(values) for name, values in columns.items()}
            writer.write_shard(shard, np.zeros_like(images), zeros)
        assert writer.missing_shards() == []
        writer.finish()
    assert verify(path) == []
    assert not Dataset.open(path).images(range(11)).any()


def test_interrupted_it_is_incomplete_and_can_be_resumed(numbered, tmp_path):
    header = numbered.make_header()
    path = tmp_path / "d.zarr"

    def write_and_interrupt():
        with DatasetWriter.open(path, header) as writer:
            writer.write_shard(0, *numbered.make_shard(header, 0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_interrupt()
    assert {problem.shard for problem in verify(path)} == {None, 1, 2}
    with DatasetWriter.open(path, header, "resume") as writer:
        assert writer.missing_shards() == [1, 2]
        with pytest.raises(InputError, match="2 of 3 shards are missing, the first is 1"):
            writer.finish()
    numbered.write(path, mode="resume")
    assert verify(path) == []


@pytest.mark.parametrize("refused", range(1, 36, 2))
def test_a_full_disk_leaves_nothing_that_verify_accepts(numbered, tmp_path, monkeypatch, refused):
    """The disk is full from the n-th of 35 files on."""
    path = tmp_path / "d.zarr"
    sync, count = os.fsync, 0

    def full(descriptor):
        nonlocal count
        count += 1
        if count >= refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(
            StorageError, match=r"d\.zarr/.*No space left on device; free some space.*--resume"
        ):
            numbered.write(path)
    assert not list(path.rglob("*.partial"))
    if (path / "zarr.json").exists():
        assert verify(path)
    numbered.write(path, mode="resume")
    assert verify(path) == []


def test_a_file_that_the_system_refuses_to_grow(tmp_path):
    """The real thing, in a process of its own: no file may grow beyond 1,200 bytes."""
    path = tmp_path / "d.zarr"
    with start(path, "--largest-file", "1200") as process:
        printed = process.stdout.read()
    assert process.returncode == 1
    assert printed.startswith(f"StorageError {path}/zarr.json cannot be written: File too large;")
    assert not list(path.rglob("*.partial"))


def test_a_second_writer_is_refused(numbered, tmp_path):
    path = tmp_path / "d.zarr"
    with start(path, "--hold") as process:
        assert process.stdout.readline() == "held\n"
        for mode in ("resume", "overwrite"):
            with pytest.raises(InputError, match=r"d\.zarr: another process is writing"):
                numbered.write(path, mode=mode)
        process.kill()
    numbered.write(path, mode="resume")
    assert verify(path) == []


def test_a_second_writer_in_the_same_process_is_refused(numbered, tmp_path):
    path = tmp_path / "d.zarr"
    with (
        DatasetWriter.open(path, numbered.make_header()),
        pytest.raises(InputError, match="another process is writing"),
    ):
        numbered.write(path, mode="resume")


def test_create_refuses_what_exists(numbered, written):
    before = contents(written)
    with pytest.raises(
        InputError, match=r"exists already; go on with it by --resume, .*--overwrite"
    ):
        numbered.write(written)
    assert contents(written) == before


@pytest.mark.parametrize("mode", ["create", "resume", "overwrite"])
def test_a_strangers_folder_is_never_touched(numbered, tmp_path, mode):
    stranger = tmp_path / "photos"
    (stranger / "c").mkdir(parents=True)
    (stranger / "c" / "0").write_text("precious")
    (stranger / "zarr.json").write_text('{"attributes": {}}')
    with pytest.raises(InputError, match="not a dataset of crystalvision"):
        numbered.write(stranger, mode=mode)
    assert sorted(file.name for file in stranger.rglob("*")) == ["0", "c", "zarr.json"]
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="is a file"):
        numbered.write(tmp_path / "file", mode=mode)


@pytest.mark.parametrize("mode", ["create", "resume", "overwrite"])
def test_every_mode_begins_in_an_empty_folder_or_a_new_one(numbered, tmp_path, mode):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "deeper" / "new"):
        assert verify(numbered.write(path, mode=mode)) == []


def test_overwrite_replaces_the_dataset_and_nothing_else(numbered, written):
    (written / "notes.txt").write_text("mine")
    header = numbered.make_header(samples=5, columns={}, seed=8)
    with DatasetWriter.open(written, header, "overwrite") as writer:
        assert writer.missing_shards() == [0, 1]
        assert not (written / "thickness_angstrom").exists()
        for shard in (0, 1):
            images, columns = numbered.make_shard(header, shard)
            kept = {name: columns[name] for name in ("label", "severity")}
            writer.write_shard(shard, images, kept)
        writer.finish()
    assert Dataset.open(written).header == header
    assert (written / "notes.txt").read_text() == "mine"
    assert [problem.message for problem in verify(written)] == [
        "notes.txt: no file of this dataset; move it elsewhere"
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 8}, "its seed is 7, but now it would be 8"),
        ({"samples": 12}, "its samples is 11, but now it would be 12"),
        ({"samples_per_shard": 5}, "its samples_per_shard is 4, but now it would be 5"),
        (
            {"generator": {"crystalvision": "0.2.0", "torch": "2.11.0"}},
            r"its generator\.crystalvision is '0\.1\.0', but now it would be '0\.2\.0'",
        ),
        (
            {"recipe": {"name": "numbered", "dose": 1e4, "classes": [{"share": 0.4}]}},
            r"its recipe\.classes\.0\.share is 0\.5, but now it would be 0\.4",
        ),
        ({"recipe": {}}, r"its recipe is absent, but now it would be \{\}"),
    ],
)
def test_resume_refuses_another_dataset(numbered, written, changes, message):
    with pytest.raises(InputError, match=message):
        numbered.write(written, numbered.make_header(**changes), "resume")


def test_resume_cleans_up_and_mends_metadata(numbered, written):
    before = contents(written)
    (written / "images/c/1/0/0/0").unlink()
    (written / "images/c/1/0/0/0.partial").write_bytes(b"half")
    (written / "label/zarr.json").write_text("{")
    (written / "q_y/c/0").unlink()
    (written / "split/c/0").write_bytes(b"")
    numbered.write(written, mode="resume")
    assert contents(written) == before


def test_a_shard_is_absent_until_its_last_file_is_there(numbered, written, monkeypatch):
    """Also where old columns or old images lie in its place."""
    from crystalvision.datasets import _writer

    header = numbered.make_header()
    write_file = _writer.write_file
    absent = []

    def look_and_write(path, content, **options):
        absent.append(writer.missing_shards())
        write_file(path, content, **options)

    with DatasetWriter.open(written, header, "resume") as writer:
        monkeypatch.setattr(_writer, "write_file", look_and_write)
        writer.write_shard(1, *numbered.make_shard(header, 1))
        assert absent == [[1]] * 7
        assert writer.missing_shards() == []


def test_a_file_appears_whole(written, monkeypatch):
    """While its bytes are on their way to the disk, the old content is what a reader finds."""
    from crystalvision.storage import write_file

    sync, found = os.fsync, []

    def look_and_sync(descriptor):
        found.append((written / "label/c/0").read_bytes())
        sync(descriptor)

    before = (written / "label/c/0").read_bytes()
    monkeypatch.setattr(os, "fsync", look_and_sync)
    write_file(written / "label/c/0", b"new")
    assert found == [before]
    assert (written / "label/c/0").read_bytes() == b"new"


def without(name):
    return lambda images, columns: (images, {k: v for k, v in columns.items() if k != name})


def replaced(name, values):
    return lambda images, columns: (images, {**columns, name: np.array(values)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images, columns: (images[:3], columns), r"uint16 \(3, 1, 8, 8\); expected uint16"),
        (lambda images, columns: (images.astype(float), columns), "float64"),
        (without("severity"), "columns .* were given; the header has"),
        (replaced("label", [0, 1]), r"'label' has shape \(2,\); expected \(4,\)"),
        (replaced("label", [0, 1, 2, 0]), "label 2 is no class; they go from 0 to 1"),
        (replaced("label", [0, 1, -1, 0]), "label -1 is no class"),
        (replaced("label", [0.0, 1.0, 0.0, 1.0]), "'label' is float64; expected int64"),
        (replaced("severity", [0, np.nan, 0, 0]), "severity nan is not a finite number"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(numbered, tmp_path, change, message):
    header = numbered.make_header()
    with DatasetWriter.open(tmp_path / "d.zarr", header) as writer:
        with pytest.raises(InputError, match=message):
            writer.write_shard(0, *change(*numbered.make_shard(header, 0)))
        assert writer.missing_shards() == [0, 1, 2]
        with pytest.raises(InputError, match="shard 3 does not exist"):
            writer.write_shard(3, *numbered.make_shard(header, 2))


def test_images_must_be_finite(numbered, tmp_path):
    header = numbered.make_header(dtype="float32")
    images, columns = numbered.make_shard(header, 0)
    images[1, 0, 2, 3] = np.inf
    with (
        DatasetWriter.open(tmp_path / "d.zarr", header) as writer,
        pytest.raises(InputError, match="not finite numbers"),
    ):
        writer.write_shard(0, images, columns)
