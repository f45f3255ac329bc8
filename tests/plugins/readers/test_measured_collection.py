"""Real files of many instruments: what is read, beside an independent look at each file."""

import csv
import re
import struct
import zipfile

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.measured_files import Readers

from .conftest import MEASURED, needs_measured

pytestmark = needs_measured
READERS = Readers()
FORMATS = MEASURED / "formats" if MEASURED else None


def files(*patterns):
    if FORMATS is None:
        return []
    return sorted(path for pattern in patterns for path in FORMATS.rglob(pattern))


def ids(path):
    return path.name


def read(path, reader=None):
    with READERS.open(path, reader) as file:
        assert len(file.frames) == 1
        return file.frames[0], file.read(0)


def check(path, angles, counts, tolerance=1e-4, reader=None):
    frame, recording = read(path, reader)
    assert np.allclose(frame.axes[0].values(), angles, atol=tolerance)
    assert np.allclose(recording.counts, counts, rtol=1e-6)
    return frame.facts


@pytest.mark.parametrize("path", files("*.xrdml"), ids=ids)
def test_xrdml(path):
    text = path.read_text(encoding="utf-8")
    counts = np.array(re.search(r"<(?:counts|intensities)[^>]*>([^<]*)<", text)[1].split(), float)
    two_theta = re.search(r'axis="2Theta".*?</positions>', text, re.DOTALL)[0]
    low, high = (float(re.search(f"<{tag}>([^<]*)<", two_theta)[1]) for tag in _ENDS)
    factors = re.search(r"<beamAttenuationFactors>([^<]*)<", text)
    if factors:
        counts = counts * np.array(factors[1].split(), float)
    facts = check(path, np.linspace(low, high, len(counts)), counts)
    assert facts.anode == "Cu"
    assert facts.wavelength_angstrom == 1.540598
    alone = "K-Alpha 1" in text
    assert facts.alpha2_angstrom == (None if alone else 1.544426)
    assert facts.time_s == float(re.search(r"<commonCountingTime[^>]*>([^<]*)<", text)[1])


_ENDS = ("startPosition", "endPosition")


@pytest.mark.parametrize("path", files("*.rasx"), ids=ids)
def test_rasx(path):
    with zipfile.ZipFile(path) as archive:
        rows = archive.read("Data0/Profile0.txt").decode("utf-8-sig").split()
        conditions = archive.read("Data0/MesurementConditions0.xml").decode("utf-8-sig")
    table = np.array(rows, float).reshape(-1, 3)
    facts = check(path, table[:, 0], table[:, 1] * table[:, 2])
    assert facts.anode == "Cu"
    assert facts.wavelength_angstrom == 1.540593
    assert (facts.alpha2_angstrom is None) == ("<WaveType>Ka1<" in conditions)


@pytest.mark.parametrize("path", files("*.ras"), ids=ids)
def test_ras(path):
    body = path.read_text("cp1252").split("*RAS_INT_START")[1].split("*RAS_INT_END")[0]
    table = np.array(body.split(), float).reshape(-1, 3)
    facts = check(path, table[:, 0], table[:, 1] * table[:, 2])
    assert (facts.anode, facts.wavelength_angstrom) == ("Cu", 1.540593)
    assert facts.time_s == pytest.approx(0.01 / 8 * 60)


@pytest.mark.parametrize("path", [p for p in files("*.raw") if "gsas" not in p.name], ids=ids)
def test_bruker_raw(path):
    content = path.read_bytes()
    at = content.index(b"Locked Coupled") - 32
    low, step, points, time = struct.unpack_from("<2dIf", content, at + 72)
    counts = np.frombuffer(content[-4 * points :], "<f4")
    if len(content) == 58_383:  # of doubles or with a second channel
        counts = np.frombuffer(content[-8 * points :], "<f4")[::2]
    facts = check(path, low + step * np.arange(points), counts)
    assert facts.anode == "Cu"
    assert facts.wavelength_angstrom == pytest.approx(1.5406, rel=1e-6)
    assert facts.time_s == pytest.approx(time)


@pytest.mark.parametrize("path", files("gsas.raw"), ids=ids)
def test_gsas(path):
    lines = path.read_text().splitlines()
    counts = np.array(" ".join(lines[2:]).split(), float)
    facts = check(path, 16 + 0.017 * np.arange(4941), counts[:4941])
    assert (facts.anode, facts.wavelength_angstrom) == (None, None)


@pytest.mark.parametrize("path", files("*.xy", "*.xye", "*.dat"), ids=ids)
def test_columns(path):
    if path.name == "example_ocx.xy":  # its column is called theta, and holds 2θ
        with pytest.raises(InputError, match="its column 'theta' may hold θ or 2θ"):
            read(path)
        reader = "{name: columns, positions: two_theta}"
    else:
        reader = None
    rows = [line for line in path.read_text().splitlines() if re.match(r"\s*[\d.]+[\s,]", line)]
    table = np.array([re.split(r"[\s,]+", row.strip())[:2] for row in rows], float)
    facts = check(path, table[:, 0], table[:, 1], reader=reader)
    wave = {"example_bmb.xye": 0.414581, "example_evadiffract.xy": 1.5405929}
    assert facts.wavelength_angstrom == wave.get(path.name)


def test_every_pattern_of_the_powder_collection():
    folder = MEASURED / "powder"
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    uneven = 0
    for row in rows:
        path = folder / row["file"]
        frame, recording = read(path)
        table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(0, 1))
        order = np.argsort(table[:, 0], kind="stable")
        if len(np.unique(table[:, 0])) == len(table):
            assert np.array_equal(recording.counts, table[order, 1])
            assert np.allclose(frame.axes[0].values(), table[order, 0], atol=2e-3)
        assert frame.facts.wavelength_angstrom is None
        uneven += not hasattr(frame.axes[0], "scale")
    assert uneven < len(rows) / 2
