"""Pipes and devices are refused at once, wherever a command would open one."""

import os
import shutil
import socket

import pytest

from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.ordinary_files import check_ordinary, is_litter, only_ordinary_files, text_of

REFUSAL = "is a pipe; expected an ordinary file"


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return path


def refused(capsys, *line):
    assert main([str(word) for word in line]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert shown.count("error: ") == 1
    return shown


def test_what_is_no_ordinary_file(tmp_path, pipe):
    with pytest.raises(InputError, match=f"pipe.yaml: {REFUSAL}"):
        check_ordinary(pipe)
    with pytest.raises(InputError, match="/dev/zero: is a device"):
        check_ordinary(type(pipe)("/dev/zero"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(InputError, match="socket: is a socket"):
            check_ordinary(tmp_path / "socket")
    check_ordinary(tmp_path)
    check_ordinary(tmp_path / "absent")


def test_python_opens_no_pipe_inside_a_block(tmp_path, pipe):
    with only_ordinary_files():
        for opening in (pipe.read_bytes, pipe.read_text, lambda: os.open(pipe, os.O_RDONLY)):
            with pytest.raises(InputError, match=REFUSAL):
                opening()
        with pytest.raises(InputError, match=REFUSAL):
            pipe.write_text("x")
        with pytest.raises(InputError, match="is a device"):
            open("/dev/zero", "rb")  # noqa: PTH123, SIM115
        (tmp_path / "file").write_text("x")
        assert (tmp_path / "file").read_text() == "x"
        with open(os.devnull) as nothing:  # noqa: PTH123
            assert nothing.read() == ""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # outside of it, as ever
    os.close(reader)


@pytest.mark.parametrize(
    "line",
    [
        ("train", "{pipe}", "-d", "{data}", "-o", "{out}"),
        ("simulate", "{pipe}", "-o", "{out}"),
        ("show", "{pipe}"),
        ("benchmark", "{pipe}", "-o", "{out}"),
        ("dataset", "export", "{data}", "--to", "hdf5", "-o", "{pipe}"),
        ("dataset", "export", "{data}", "--to", "hdf5", "-o", "{pipe}", "--overwrite"),
    ],
)
def test_a_pipe_on_the_command_line(dataset_path, tmp_path, pipe, capsys, line):
    places = {"pipe": pipe, "data": dataset_path, "out": tmp_path / "out"}
    err = refused(capsys, *(word.format(**places) for word in line))
    assert REFUSAL in err or "neither a file nor a folder, but a pipe" in err


@pytest.mark.parametrize("name", ["run.yaml", "weights.safetensors", "reference.safetensors"])
def test_a_pipe_in_a_run(run_path, tmp_path, capsys, name):
    run = shutil.copytree(run_path, tmp_path / "run")
    (run / name).unlink()
    os.mkfifo(run / name)
    refused(capsys, "predict", run, "absent.png")


def test_a_pipe_in_a_dataset(dataset_path, tmp_path, capsys):
    data = shutil.copytree(dataset_path, tmp_path / "data.zarr")
    (data / "zarr.json").unlink()
    os.mkfifo(data / "zarr.json")
    assert main(["dataset", "info", str(data)]) in {1, 2}
    assert "zarr.json" in capsys.readouterr().err


def test_a_pipe_in_a_folder_of_images(tmp_path, capsys):
    (tmp_path / "in/a").mkdir(parents=True)
    os.mkfifo(tmp_path / "in/a/one.png")
    line = ("dataset", "import", tmp_path / "in", "-o", tmp_path / "out.zarr")
    assert REFUSAL in refused(capsys, *line)
    os.mkfifo(tmp_path / "in/labels.csv")
    assert REFUSAL in refused(capsys, *line)


def test_litter_is_told_from_data():
    for name in (
        ".DS_Store",
        "._x.tif",
        "Thumbs.db",
        "__MACOSX",
        "x.tif~",
        "#x.tif#",
        "desktop.ini",
    ):
        assert is_litter(name)
    for name in ("x.tif", "Thumbs.tif", "a#1.png", "macosx"):
        assert not is_litter(name)


def test_a_name_that_is_no_unicode_is_text():
    assert text_of(os.fsdecode(b"K\xf6rnung.tif")) == "K\\xf6rnung.tif"
    assert text_of("Körnung.tif") == "Körnung.tif"
