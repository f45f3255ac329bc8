"""Which reader a file is for, and what a stranger's reader may get wrong."""

from pathlib import Path

import numpy as np
import pytest

from crystalvision import hookimpl
from crystalvision.contracts import Facts, Frame, MeasuredFile, Reader, Recording, measured_axis
from crystalvision.errors import InputError, PluginError
from crystalvision.measured_files import Readers, open_pattern_file
from crystalvision.plugins import KINDS, Catalogue, PluginInfo

STRANGER = PluginInfo("stranger", "stranger", "1.0")


class Ramp(MeasuredFile):
    """A ramp of as many counts as the file says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        count = int(path.read_bytes()[4:])
        axis = measured_axis("two_theta", np.arange(count, dtype=float), "degree")
        facts = Facts(scale="counts per second", time_s=2.0)
        self.frames = [Frame((count,), "int64", dimensions=1, axes=(axis,), facts=facts)]

    def read(self, number: int) -> Recording:
        (count,) = self.frames[number].shape
        return Recording(np.arange(count), np.arange(count) != 1)


class RampReader(Reader):
    """Files of ramps."""

    format = "Ramp"
    suffixes = (".ramp", ".raw")
    signatures = (b"RAMP",)

    def open(self, path: Path) -> MeasuredFile:
        return Ramp(path)


def readers(**offered):
    parts = [(KINDS["reader"], STRANGER, offered)]
    return Readers(Catalogue.load().with_parts(parts))


@pytest.fixture
def ramp(tmp_path):
    path = tmp_path / "a.ramp"
    path.write_bytes(b"RAMP5")
    return path


def test_a_strangers_reader_is_chosen_by_name_and_content(ramp):
    mine = readers(ramp=RampReader)
    assert ".ramp" in mine.suffixes
    for name in ("a.ramp", "a.raw", "a.unknown", "ramp"):
        path = ramp.rename(ramp.with_name(name))
        with mine.open(path) as file:
            assert (file.format, file.frames[0].grid) == ("Ramp", (5,))
            assert file.read(0).counts.tolist() == [0, 1, 2, 3, 4]
        path.rename(ramp)


def test_rates_become_counts_and_masks_come_along(ramp):
    with open_pattern_file(ramp, 1, readers=readers(ramp=RampReader)) as file:
        found = file.record(0)
        assert file.shape == (1, 5)
        assert found.counts.tolist() == [[0, 2, 4, 6, 8]]
        assert found.seen.tolist() == [True, False, True, True, True]
        assert "multiplied with the counting time of 2 s" in file.notes[0]


def test_a_hook_offers_readers(tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        Path(__file__).read_text(encoding="utf-8").split("def readers")[0]
        + "@hookimpl\ndef crystalvision_readers():\n    return {'ramp': RampReader}\n"
    )
    from crystalvision.plugins import PluginSelection

    catalogue = Catalogue.load(PluginSelection(files=(plugin,)))
    assert "ramp" in catalogue.names("reader")
    assert hookimpl is not None


class Other(RampReader):
    """Takes the same files."""

    format = "Other"


def test_two_readers_of_one_file_must_be_told_apart(ramp):
    both = readers(ramp=RampReader, other=Other)
    with pytest.raises(InputError, match=r"several readers .* other \(Other\), ramp \(Ramp\); say"):
        both.open(ramp)
    with both.open(ramp, "other") as file:
        assert file.format == "Other"
    with pytest.raises(InputError, match="no reader is called 'othr'; did you mean 'other'"):
        both.open(ramp, "othr")


def test_unknown_files(tmp_path):
    path = tmp_path / "a.xyz9"
    path.write_bytes(b"nothing known")
    with pytest.raises(InputError, match=r"files of type '.xyz9' are not read; use .*\.xrdml"):
        Readers().open(path)
    with pytest.raises(InputError, match="is a folder; expected a measured file"):
        Readers().open(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        Readers().open(tmp_path / "none.xy")


def changed(**attributes):
    return type("Changed", (RampReader,), {"format": "Ramp", **attributes})


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"suffixes": ".ramp"}, "suffixes='.ramp'; expected a tuple"),
        ({"suffixes": (".RAMP",)}, "expected a tuple of texts in lower case"),
        ({"format": ""}, "format=''; expected text"),
        ({"signatures": ("RAMP",)}, "expected a tuple of bytes"),
    ],
)
def test_a_reader_that_breaks_its_contract_costs_only_itself(tmp_path, attributes, message):
    broken = readers(ramp=changed(**attributes))
    np.save(tmp_path / "a.npy", np.ones((4, 4)))
    broken.open(tmp_path / "a.npy").close()
    path = tmp_path / "a.ramp"
    path.write_bytes(b"RAMP5")
    with pytest.raises(InputError, match=message):
        broken.open(path)
    with pytest.raises(PluginError, match="reader 'ramp' of stranger"):
        broken.open(path, "ramp")


def opening(give):
    return changed(open=lambda _self, path: give(Ramp(path)))


def with_(file, **attributes):
    for name, value in attributes.items():
        setattr(file, name, value)
    return file


@pytest.mark.parametrize(
    ("give", "error", "message"),
    [
        (lambda _: 7, PluginError, r"open\(\) gave a int; expected a MeasuredFile"),
        (lambda f: with_(f, frames=[]), InputError, "it holds no pattern"),
        (lambda f: with_(f, frames=[Frame((5,), "int64")]), PluginError, "on 2 dimensions"),
        (lambda f: with_(f, read=lambda _: 7), PluginError, r"read\(\) gave a int"),
        (
            lambda f: with_(f, read=lambda _: Recording(np.arange(4))),
            InputError,
            r"its header says 5 int64, but its pixels are \(4,\)",
        ),
        (
            lambda f: with_(f, read=lambda _: Recording(np.arange(5), np.ones(4, bool))),
            PluginError,
            r"seen is bool \(4,\); expected bool \(5,\)",
        ),
        (
            lambda f: with_(f, frames=[Frame((2**27,), "uint8", dimensions=1)]),
            InputError,
            "images of up to 67,108,864 pixels",
        ),
    ],
)
def test_what_a_stranger_gives_is_checked(ramp, give, error, message):
    with (
        pytest.raises(error, match=message),
        readers(ramp=opening(give)).open(ramp) as file,
    ):
        file.read(0)
