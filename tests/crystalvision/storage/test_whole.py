"""Files and folders that appear whole, with the user's permissions, and never over others' work."""

# What happens within the block is what is tested.
# ruff: noqa: PT012, SIM117

import errno
import os
import stat
import threading

import pytest
import torch
from safetensors import SafetensorError

from crystalvision.errors import InputError, StorageError
from crystalvision.storage import (
    Destination,
    TakenError,
    disk_errors,
    is_partial,
    place_folder,
    whole_file,
    whole_folder,
    write_file,
    write_tensors,
)
from crystalvision.storage import _place as place_module


@pytest.fixture(params=["exchange", "no exchange", "no links"])
def disk(request, monkeypatch):
    """Disks that can exchange names, that cannot, and that have no links either."""
    if request.param != "exchange":
        monkeypatch.setattr(place_module, "_renameat2", lambda: None)
    if request.param == "no links":

        def refuse(*_arguments):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    return request.param


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path, disk):
    path = tmp_path / "new" / "page.html"
    with whole_file(path) as partial:
        partial.write_text("all of it")
        assert partial.suffix == ".html"
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert names(path.parent) == ["page.html"]


def test_a_file_that_appears_meanwhile_is_left_as_it_is(tmp_path, disk):
    path = tmp_path / "model.onnx"
    with pytest.raises(TakenError, match=r"model.onnx: what is there appeared after"):
        with whole_file(path) as partial:
            partial.write_text("mine")
            path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["model.onnx"]


def test_what_was_there_is_replaced_and_nothing_else(tmp_path, disk):
    path = tmp_path / "model.onnx"
    path.write_text("old")
    with pytest.raises(InputError, match="is there already; use --overwrite"), whole_file(path):
        pass
    with whole_file(path, overwrite=True) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(TakenError, match="what is there was changed after"):
        with whole_file(path, overwrite=True) as partial:
            partial.write_text("newer")
            path.write_text("edited by hand")
    assert path.read_text() == "edited by hand"
    assert names(tmp_path) == ["model.onnx"]


def test_what_was_there_may_go_meanwhile(tmp_path, disk):
    path = tmp_path / "model.onnx"
    path.write_text("old")
    with whole_file(path, overwrite=True) as partial:
        partial.write_text("new")
        path.unlink()
    assert path.read_text() == "new"


def test_folders_are_replaced_whole_and_only_if_they_are_as_they_were(tmp_path, disk):
    path = tmp_path / "run"
    path.mkdir()  # an empty one is nobody's work
    with whole_folder(path) as partial:
        (partial / "a").write_text("1")
    with whole_folder(path, overwrite=True) as partial:
        (partial / "b").write_text("2")
    assert names(path) == ["b"]
    with pytest.raises(TakenError, match="was changed after"):
        with whole_folder(path, overwrite=True) as partial:
            (partial / "c").write_text("3")
            (path / "notes").write_text("of another")
    assert names(path) == ["b", "notes"]
    with pytest.raises(TakenError, match="appeared after"):
        with whole_folder(tmp_path / "other") as partial:
            (tmp_path / "other").mkdir()
            (tmp_path / "other" / "x").touch()
    assert names(tmp_path) == ["other", "run"]


def test_work_that_finds_its_place_taken_is_kept_beside_it(tmp_path, disk):
    path = tmp_path / "run"
    for number in (2, 3):
        with pytest.raises(TakenError, match=rf"whole, at .*/run-{number}: use it"):
            with whole_folder(path, keep=True, overwrite=True) as partial:
                (partial / "a").write_text("1")
                path.mkdir(exist_ok=True)
                (path / f"x{number}").touch()
    assert names(tmp_path) == ["run", "run-2", "run-3"]
    assert names(tmp_path / "run-3") == ["a"]


def test_a_link_is_followed(tmp_path, disk):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to("disk")
    with whole_folder(tmp_path / "run") as partial:
        (partial / "a").touch()
    assert names(tmp_path / "disk") == ["a"]
    assert (tmp_path / "run").is_symlink()


def test_a_pipe_is_no_place_to_write(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(InputError, match=r"pipe.onnx is neither a file nor a folder, but a pipe"):
        Destination.look(tmp_path / "pipe.onnx")


def test_of_many_writers_at_once_one_wins_and_every_file_is_whole(tmp_path):
    path, starts = tmp_path / "model.onnx", threading.Barrier(8)
    ended = []

    def write(number):
        try:
            with whole_file(path) as partial:
                partial.write_text(str(number) * 10_000)
                starts.wait()
        except StorageError as error:
            ended.append(type(error))

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert ended == [TakenError] * 7
    text = path.read_text()
    assert text == text[0] * 10_000
    assert names(tmp_path) == ["model.onnx"]


UMASK = """
import os, sys, torch
from pathlib import Path
from crystalvision.storage import whole_file, whole_folder, write_file, write_tensors
os.umask(int(sys.argv[1], 8))
folder = Path(sys.argv[2])
write_file(folder / "file", b"1")
write_tensors(folder / "weights", {"a": torch.zeros(2)})
with whole_file(folder / "page") as partial: partial.write_text("1")
with whole_folder(folder / "run") as partial: (partial / "a").write_text("1")
"""


@pytest.mark.parametrize("umask", [0o002, 0o077, 0o027])
def test_the_umask_decides_who_may_read(run_python, tmp_path, umask):
    assert run_python("-c", UMASK, f"{umask:o}", tmp_path).returncode == 0
    for name in ("file", "weights", "page", "run/a"):
        assert mode(tmp_path / name) == 0o666 & ~umask, name
    assert mode(tmp_path / "run") == 0o777 & ~umask


def test_partial_names_are_known(tmp_path):
    seen = []
    with whole_file(tmp_path / "a.b.html") as partial:
        seen.append(partial)
    with whole_folder(tmp_path / "run") as partial:
        seen.append(partial)
    assert all(map(is_partial, seen))
    assert not is_partial(tmp_path / "my.partial.html")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Can't write data (file write failed: errno = 28, error message = 'x')"),
        Exception("Error while serializing: I/O error: No space left (os error 28)"),
        OSError("[Errno 28] Error writing bytes to file"),
    ],
)
def test_what_libraries_say_of_a_full_disk_is_one_line(tmp_path, error):
    with pytest.raises(StorageError, match=r"/x cannot be written: No space left on device; free"):
        with disk_errors(tmp_path / "x"):
            raise error


def test_other_errors_pass(tmp_path):
    with pytest.raises(RuntimeError, match="shapes"), disk_errors(tmp_path):
        raise RuntimeError("shapes do not fit")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110
def test_a_full_device(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="full cannot be written: No space left on device"):
        with disk_errors(tmp_path / "full"), open("/dev/full", "wb") as file:  # noqa: PTH123
            file.write(b"1" * 10_000)


def test_tensors_on_a_full_disk(tmp_path, monkeypatch):
    import safetensors.torch as library

    def full(*_arguments):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(library, "save_file", full)
    with pytest.raises(StorageError, match="w cannot be written: No space left on device"):
        write_tensors(tmp_path / "w", {"a": torch.zeros(1)})
    assert not names(tmp_path)


def test_a_folder_is_placed_where_it_belongs(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a").touch()
    place_folder(tmp_path / "new", Destination.look(tmp_path / "run"))
    assert names(tmp_path) == ["run"]
    write_file(tmp_path / "run" / "a", b"1")
    assert (tmp_path / "run" / "a").read_bytes() == b"1"
