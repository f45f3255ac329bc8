"""Powder files of every format: the numbers, the beam, and one line for what is wrong."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.measured_files import Readers, frame_text

from .conftest import ANGLES, COUNTS, FILES, WAVES, brml, gsas, packed, ras, rasx, uxd, xrdml, xy

READERS = Readers()


def opened(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with READERS.open(path) as file:
        recordings = [file.read(number) for number in range(len(file.frames))]
        return file.frames, recordings, " | ".join(file.notes)


def refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught, READERS.open(path) as file:
        file.read(0)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


@pytest.mark.parametrize("name", FILES)
def test_numbers_and_axis_of_every_format(tmp_path, name):
    frames, recordings, notes = opened(tmp_path, name, FILES[name])
    moves = 0 if name in {"three.uxd"} else 1  # whose ranges have the same counts
    for number, (frame, recording) in enumerate(zip(frames, recordings, strict=True)):
        (axis,) = frame.axes
        assert (axis.name, axis.units) == ("two_theta", "degree")
        assert np.abs(axis.values() - ANGLES - number).max() < 1e-4
        assert np.array_equal(recording.counts, COUNTS + moves * number)
        assert recording.seen is None
    assert notes == ""
    ranges = {"two.xrdml": 2, "three.uxd": 3, "v3.raw": 2}
    assert len(frames) == ranges.get(name, 1)


@pytest.mark.parametrize(
    ("name", "anode", "waves", "time", "scale", "sample"),
    [
        ("one.xrdml", "Cu", WAVES, 15.24, "counts", "anatase"),
        ("one.ras", "Co", (1.788965, 1.79285), 0.15, "counts", "Prüfling"),
        ("one.rasx", "Cu", (1.540593, 1.544414), 0.6, "counts", "anatase"),
        ("one.brml", "Cu", (1.5406, 1.54439), 96, "counts", ""),
        ("one.uxd", "Cu", WAVES, 12, "counts", "anatase"),
        ("three.uxd", "Cu", WAVES, 12, "counts per second", "anatase"),
        ("v1.raw", None, WAVES, 12, "unknown", "anatase"),
        ("v2.raw", "Cu", WAVES, 12, "unknown", ""),
        ("v3.raw", "Cu", WAVES, 12, "unknown", "anatase"),
        ("v4.raw", "Cu", WAVES, 77.9, "unknown", "anatase"),
        ("gsas.raw", None, (None, None), None, "unknown", "anatase at 300 K"),
        ("one.xy", None, (None, None), None, "unknown", ""),
        ("one.xye", None, (0.4137, None), None, "unknown", ""),
        ("named.csv", None, (None, None), None, "counts", ""),
    ],
)
def test_what_a_file_states(tmp_path, name, anode, waves, time, scale, sample):
    frames, _, _ = opened(tmp_path, name, FILES[name])
    for frame in frames:
        facts = frame.facts
        assert facts.anode == anode
        assert (facts.scale, facts.sample) == (scale, sample)
        assert facts.time_s == (None if time is None else pytest.approx(time, rel=1e-6))
        found = facts.wavelength_angstrom, facts.alpha2_angstrom
        assert found == tuple(None if w is None else pytest.approx(w, rel=1e-6) for w in waves)


def test_kalpha_1_alone(tmp_path):
    (frame,), _, _ = opened(tmp_path, "one.xrdml", xrdml(intended="K-Alpha 1"))
    assert frame.facts.alpha2_angstrom is None
    (frame,), _, _ = opened(tmp_path, "one.rasx", rasx(wave_type="Ka1"))
    assert frame.facts.alpha2_angstrom is None


def test_a_count_with_decimals_and_an_attenuator(tmp_path):
    (_, second), recordings, notes = opened(
        tmp_path, "a.ras", ras(count="40.0000000000", scans=2, factor=3)
    )
    assert np.array_equal(recordings[1].counts, 3 * COUNTS)
    assert second.title == "scan 1"
    assert "attenuator" in notes


@pytest.mark.parametrize(
    "content",
    [
        xy(","),
        xy(";"),
        xy("\t"),
        xy("   "),
        xy(" , "),
        xy(";", decimal=","),
        xy("\t", decimal=","),
        xy("  ", decimal=","),
        xy(head="# a comment\n! another\n; a third\n"),
        xy(head="Probe 7, gemessen bei 20 °C\nWinkel Zählrate\n").decode().encode("cp1252"),
        xy().decode().encode("utf-16"),
        b"\xef\xbb\xbf" + xy(),
        xy().replace(b"\n", b"\r\n"),
        xy().replace(b"\n", b"\n\n"),
        xy(head="40 1 2\n"),
        b"\n".join(line + b" 1.5" for line in xy().splitlines()),
        b"2theta,background,intensity,error\n"
        + b"\n".join(line.replace(b" ", b",9,") + b",1" for line in xy().splitlines()),
        b"intensity;2Theta [deg]\n"
        + b"\n".join(b";".join(reversed(line.split())) for line in xy().splitlines()),
    ],
)
def test_columns_of_text_in_all_their_forms(tmp_path, content):
    (frame,), (recording,), notes = opened(tmp_path, "a.dat", content)
    assert np.allclose(frame.axes[0].values(), ANGLES)
    assert np.array_equal(recording.counts, COUNTS)
    assert notes == ""


def test_axes_that_are_out_of_order_are_put_in_order_and_said(tmp_path):
    lines = xy().splitlines()
    (frame,), (recording,), notes = opened(tmp_path, "a.xy", b"\n".join(lines[::-1]))
    assert np.allclose(frame.axes[0].values(), ANGLES)
    assert np.array_equal(recording.counts, COUNTS)
    assert "descending order" in notes
    (frame,), (recording,), notes = opened(tmp_path, "b.xy", b"\n".join(lines[20:] + lines[:20]))
    assert np.array_equal(recording.counts, COUNTS)
    assert "in no order" in notes
    twice = b"\n".join([*lines, b"10.0000 1000"])
    (frame,), (recording,), notes = opened(tmp_path, "c.xy", twice)
    assert recording.counts[0] == (COUNTS[0] + 1000) / 2
    assert "several values for 1 points" in notes


@pytest.mark.parametrize("between", ["", "\n", "# scan\n", "# time counts\n"])
def test_scans_one_below_the_other_are_patterns_of_their_own(tmp_path, between):
    part = [f"{angle:.4f} {{}}{count}" for angle, count in zip(ANGLES, COUNTS, strict=True)]
    scans = ["\n".join(part).replace("{}", digit) for digit in "123"]
    scans[1] = "\n".join(scans[1].splitlines()[::2])  # in larger steps
    text = f"\n{between}".join(scans)
    frames, recordings, notes = opened(tmp_path, "a.xy", text.encode())
    assert [frame.title for frame in frames] == ["scan 1", "scan 2", "scan 3"]
    for digit, recording in zip("123", recordings, strict=True):
        expected = [int(f"{digit}{count}") for count in COUNTS]
        assert recording.counts.tolist() == (expected[::2] if digit == "2" else expected)
    assert notes == "holds 3 scans, one below the other: each is a pattern"


def test_ranges_that_follow_one_another_are_one_pattern(tmp_path):
    lines = xy().splitlines()
    (frame,), (recording,), _ = opened(tmp_path, "a.xy", b"\n".join(lines[:20] + lines[19:]))
    assert np.array_equal(recording.counts, COUNTS)
    assert frame.title == ""


@pytest.mark.parametrize(
    "head",
    [
        "Winkel\tIntensität\tFehler\n",
        "angle\tintensité\terreur\n",
        "Ángulo\tIntensidad\terror\n",
        "Угол 2θ\tИнтенсивность\tОшибка\n",
        "衍射角\t强度\t误差\n",
    ],
)
def test_columns_that_are_named_in_other_languages(tmp_path, head):
    text = head + "".join(f"{a:.4f}\t{c}\t1.5\n" for a, c in zip(ANGLES, COUNTS, strict=True))
    (frame,), (recording,), _ = opened(tmp_path, "a.txt", text.encode())
    assert np.array_equal(recording.counts, COUNTS)
    assert np.allclose(frame.axes[0].values(), ANGLES)


@pytest.mark.parametrize(
    "heading",
    ["Energy (keV)", "time [s]", "Temps", "Omega", "r (A)", "Wavenumber", "T [K]", "2theta (rad)"],
)
def test_positions_of_something_else_are_refused_and_may_be_told(tmp_path, heading):
    content = xy(",", head=f"{heading},counts\n")
    text = refused(tmp_path, "a.csv", content)
    assert f"'{heading.lower()}', where 2θ in degrees, q or d is expected" in text
    told = text.partition("--reader '")[2].partition("'")[0]
    with READERS.open(tmp_path / "a.csv", told) as file:
        assert file.frames[0].axes[0].name == "two_theta"


@pytest.mark.parametrize("head", ["Time: 20s\n", "# Temperature 300K\n", "Channel 3\n"])
def test_a_line_that_states_something_names_no_columns(tmp_path, head):
    _, (recording,), _ = opened(tmp_path, "a.xy", xy(head=head))
    assert np.array_equal(recording.counts, COUNTS)


def test_an_uneven_axis_keeps_its_positions(tmp_path):
    places = np.concatenate([np.arange(10, 20, 0.05), np.arange(20, 40, 0.1)])
    text = "\n".join(f"{place:.3f} {number}" for number, place in enumerate(places))
    (frame,), _, _ = opened(tmp_path, "a.xy", text.encode())
    assert np.allclose(frame.axes[0].positions, places, atol=1e-3)


def test_rounded_positions_are_even(tmp_path):
    step = 0.0167113  # as instruments have it, and files round it
    text = "\n".join(f"{5 + step * n:.4f} {n % 7}" for n in range(7000))
    (frame,), _, _ = opened(tmp_path, "a.xy", text.encode())
    assert frame.axes[0].scale == pytest.approx(step, rel=1e-5)


def test_gaps_negative_values_and_no_counts(tmp_path):
    lines = xy().splitlines()
    lines[3], lines[4] = b"10.0600 nan", b"10.0800 -3.5"
    (_,), (recording,), notes = opened(tmp_path, "a.xy", b"\n".join(lines))
    assert recording.counts[4] == -3.5
    assert np.flatnonzero(~recording.seen).tolist() == [3]
    assert "1 points without a number, which are masked" in notes
    assert "1 negative values" in notes
    empty = b"\n".join(line.split()[0] + b" 0" for line in xy().splitlines())
    assert "it holds no counts" in opened(tmp_path, "b.xy", empty)[2]


def test_other_positions_than_two_theta(tmp_path):
    head = "q (1/nm),counts\n"
    (frame,), _, _ = opened(tmp_path, "a.csv", xy(",", head=head))
    assert (frame.axes[0].name, frame.axes[0].units) == ("q", "1/nm")
    (frame,), _, _ = opened(tmp_path, "c.xy", xy())
    assert frame.facts.assumed == ("positions are 2θ in degrees",)


def test_angles_that_a_file_calls_theta_are_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(xy(",", head="Theta,intensity\n"))
    with pytest.raises(InputError, match="'theta' may hold θ or 2θ") as error:
        READERS.open(path)
    told = str(error.value).partition("--reader '")[2].partition("'")[0]
    with (
        READERS.open(path, told) as as_written,
        READERS.open(path, told.replace("two_theta", "theta")) as doubled,
    ):
        axes = [file.frames[0].axes[0] for file in (as_written, doubled)]
        assert "positions are θ" in " ".join(map(str, doubled.notes))
    assert [axis.name for axis in axes] == ["two_theta"] * 2
    assert axes[1].offset == pytest.approx(2 * axes[0].offset)
    assert axes[1].scale == pytest.approx(2 * axes[0].scale)


def test_what_is_said_of_positions_does_not_overrule_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(xy(",", head="q (1/nm),counts\n"))
    with pytest.raises(InputError, match="its positions are q, not theta"):
        READERS.open(path, "{name: columns, positions: theta}")
    with pytest.raises(InputError, match="positions"):
        READERS.open(path, "{name: columns, positions: gamma}")


def test_an_anode_in_the_text_gives_its_lines_and_says_so(tmp_path):
    head = '\'Id: "" Anode: "Cu" Scantype: "Coupled" TimePerStep: "96" \n'
    (frame,), _, _ = opened(tmp_path, "a.xy", xy(head=head))
    assert frame.facts.wavelength_angstrom == pytest.approx(1.5405929)
    assert frame.facts.time_s == 96
    assert "Kα₁ and Kα₂ of Cu" in frame.facts.assumed[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xy", b"", "is empty"),
        ("a.xy", b"hello", "no two lines of numbers"),
        ("a.xy", xy() + b"oops\n10.9 3\n", "line 41, 'oops', is no point"),
        ("a.xy", xy() + b"11.0\n", "line 41, '11.0', is no point"),
        ("a.xy", xy() + b"11.0 inf\n", "infinite values"),
        ("a.xy", b"\x00\x01\x02" * 99, "bytes that no text has"),
        ("a.xy", b"10 5\n10 6\n", "all of its points are at one place"),
        ("a.xy", b"100 5\n200 6\n", "no range of 2θ in degrees"),
        ("a.csv", b"a,b,c\n1,2,3\n4,5,6\n", "nothing tells which are meant"),
        ("a.csv", b"1,2,3,4\n4,5,6,7\n", "it has 4 columns"),
        ("a.xrdml", xrdml()[:-400], "damaged"),
        ("a.xrdml", xrdml().replace(b"<scan ", b"<scam ").replace(b"</scan>", b"</scam>"), "scan"),
        ("a.xrdml", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "entities"),
        ("a.ras", ras(count="41"), "40 points, where its header says 41"),
        ("a.ras", ras()[:-60], "cut short"),
        ("a.ras", ras().replace(b"10.0400", b"10.o400"), "damaged row"),
        ("a.rasx", rasx()[:-30], "is not a RASX file"),
        ("a.rasx", packed({"readme.txt": "no"}), "no Profile0.txt"),
        ("a.brml", brml()[:-30], "is not a BRML file"),
        ("a.brml", packed({"readme.txt": "no"}), "no RawData0.xml"),
        ("a.uxd", uxd().split(b"_COUNTS")[0], "no points"),
        ("a.raw", FILES["v1.raw"][:-8], "cut short: a range says 40 points"),
        ("a.raw", FILES["v2.raw"][:200], "cut short"),
        ("a.raw", FILES["v3.raw"][:900], "is not a Bruker RAW file"),
        ("a.raw", FILES["v4.raw"][:-8], "is not a Bruker RAW file"),
        ("a.raw", gsas()[:-80], "is not a GSAS file"),
        ("a.raw", b"LEXT" * 200, "which none of the readers of '.raw' knows"),
        ("a.raw", b"", "is empty, which none of the readers"),
        ("a.xrdml", b"\x89PNG\r\n\x1a\n" + bytes(40), "but PNG: rename or convert it"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, name, content, message):
    assert message in refused(tmp_path, name, content)


def test_a_bomb_is_not_unpacked(tmp_path):
    content = rasx()
    place = content.index(b"PK\x01\x02") + 24  # the size that its directory says
    bomb = content[:place] + b"\xff\xff\xff\x7f" + content[place + 4 :]
    assert "up to 20,000 of 268,435,456 bytes are read" in refused(tmp_path, "a.rasx", bomb)


def test_content_tells_where_the_name_does_not(tmp_path):
    assert opened(tmp_path, "pattern", FILES["one.ras"])[0][0].facts.anode == "Co"
    assert opened(tmp_path, "a.backup", FILES["v4.raw"])[0][0].facts.anode == "Cu"


def test_what_was_read_in_words(tmp_path):
    path = tmp_path / "a.xrdml"
    path.write_bytes(FILES["one.xrdml"])
    with READERS.open(path) as file:
        text = dict(frame_text(file, 0))
    assert text["axis"] == "2θ from 10 to 10.78°, 40 points, steps of 0.02°"
    assert text["wavelength"] == "1.540598 Å"
    assert text["counting time"] == "15.24 s"
    assert text["values"] == "counts"
    assert text["numbers"].startswith(f"{COUNTS.min()} to {COUNTS.max()}, sum {COUNTS.sum()}")
