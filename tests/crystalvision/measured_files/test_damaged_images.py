"""Image files with mistakes of every kind are read or refused: quickly, and in little memory."""

import faulthandler
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalvision.errors import CrystalVisionError
from crystalvision.measured_files import open_pattern_file

COUNTS = np.random.default_rng(0).poisson(5, (24, 20)).astype(np.uint16)
BYTES = COUNTS.astype(np.uint8)
PATTERNS = 4  # of a file that are read


def whole_files(folder: Path) -> dict[str, bytes]:
    """One file of each kind, name → content; all are read."""
    stack = np.stack([COUNTS, COUNTS + 1, COUNTS + 2])
    grey = {"photometric": "minisblack"}
    tiffs = {
        "plain": (COUNTS, {}),
        "stack": (stack, grey),
        "deflate": (COUNTS, {"compression": "zlib"}),
        "imagej": (stack, {"imagej": True, **grey}),
        "ome": (stack, {"ome": True, "metadata": {"axes": "ZYX"}, **grey}),
        "big": (COUNTS, {"bigtiff": True}),
        "swapped": (COUNTS, {"byteorder": ">"}),
        "rgb": (np.stack([BYTES] * 3, -1), {"photometric": "rgb"}),
        "tiled": (np.tile(COUNTS, (3, 3)), {"tile": (16, 16)}),
        "strips": (COUNTS.astype("f4"), {"rowsperstrip": 5}),
    }
    for name, (image, settings) in tiffs.items():
        tifffile.imwrite(folder / f"{name}.tif", image, **settings)
    Image.fromarray(COUNTS).save(folder / "lzw.tif", compression="tiff_lzw")
    Image.fromarray(BYTES).save(folder / "packbits.tif", compression="packbits")
    Image.fromarray(BYTES).save(folder / "eight.png")
    Image.fromarray(COUNTS).save(folder / "sixteen.png")
    opaque = np.dstack([BYTES] * 3 + [np.full_like(BYTES, 255)])
    Image.fromarray(opaque).save(folder / "rgba.png")
    np.save(folder / "one.npy", COUNTS)
    np.save(folder / "three.npy", stack)
    np.save(folder / "fortran.npy", np.asfortranarray(COUNTS.astype("f8")))
    for name, image in (("one", COUNTS), ("three", stack)):
        with mrcfile.new(folder / f"{name}.mrc") as file:
            file.set_data(image)
    (folder / "packed.mrc").write_bytes(gzip.compress((folder / "three.mrc").read_bytes()))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def damage(content: bytes, rng: random.Random) -> bytes:
    """The file with one mistake or several: bits, numbers, pieces lost, doubled or put in."""
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        reach = len(damaged) if rng.random() < 0.5 else min(len(damaged), 300)
        place = rng.randrange(reach)
        match rng.randrange(7):
            case 0:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1:
                damaged[place] = rng.choice([0, 127, 128, 255, rng.randrange(256)])
            case 2:
                del damaged[place : place + rng.randrange(1, 40)]
            case 3:
                damaged[place:place] = rng.randbytes(rng.randrange(1, 20))
            case 4:
                damaged[place : place + 4] = rng.choice(
                    [b"\xff" * 4, bytes(4), b"\0\0\0\x7f", b"\x7f\xff\xff\xff"]
                )
            case 5:
                del damaged[place:]
            case _:
                start, size = rng.randrange(len(damaged)), rng.randrange(1, 32)
                damaged[place : place + size] = damaged[start : start + size]
        damaged = damaged or bytearray(b"x")
    return bytes(damaged)


def read(path: Path) -> None:
    with open_pattern_file(path, 1) as file:
        for place in range(min(len(file), PATTERNS)):
            file.read(place)


def try_all(count: int, seed: int) -> None:
    """Read so many damaged files, and write what came of it to stdout; run in its own process."""
    warnings.simplefilter("error")
    rng = random.Random(seed)
    found: dict[str, object] = {"read": 0, "refused": 0, "strange": [], "slowest": 0.0}
    with tempfile.TemporaryDirectory() as name:
        files = whole_files(Path(name))
        for number in range(count):
            faulthandler.dump_traceback_later(60, exit=True)
            file = sorted(files)[number % len(files)]
            path = Path(name) / f"damaged-{file}"
            path.write_bytes(damage(files[file], rng))
            begun = time.monotonic()
            try:
                read(path)
                found["read"] += 1
            except CrystalVisionError as error:
                found["refused"] += 1
                if "\n" in str(error):
                    found["strange"].append(str(error))
            except BaseException as error:
                found["strange"].append(f"{number} {file}: {error!r}"[:200])
            found["slowest"] = max(found["slowest"], time.monotonic() - begun)
    # Not ru_maxrss, which begins with what the process had that started this one.
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    found["mebibytes"] = int(peak.split()[1]) / 1024
    sys.stdout.write(json.dumps(found))


@pytest.mark.parametrize(
    ("count", "seed"), [(800, 1), pytest.param(10_000, 2, marks=pytest.mark.slow)]
)
def test_damaged_files_are_read_or_refused(count, seed):
    command = [sys.executable, __file__, str(count), str(seed)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["strange"] == []
    assert found["read"] + found["refused"] == count
    assert found["refused"] > count / 2
    assert found["slowest"] < 5
    assert found["mebibytes"] < 1024


@pytest.mark.parametrize("name", ["eight.png", "sixteen.png", "rgba.png"])
def test_no_bit_of_a_png_can_flip_unseen(tmp_path, name):
    content = whole_files(tmp_path)[name]
    path = tmp_path / name
    for place in random.Random(3).sample(range(8 * len(content)), 200):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(CrystalVisionError):
            read(path)


@pytest.mark.parametrize("name", sorted(["deflate.tif", "one.npy", "one.mrc", "plain.tif"]))
def test_files_that_are_cut_short_are_refused(tmp_path, name):
    content = whole_files(tmp_path)[name]
    path = tmp_path / name
    for size in (0, 1, 7, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(CrystalVisionError, match=name):
            read(path)


if __name__ == "__main__":
    try_all(int(sys.argv[1]), int(sys.argv[2]))
