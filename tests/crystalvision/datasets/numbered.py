"""A small dataset whose every number follows from its index; also a script that writes it.

Tests kill the script; `conftest.py` hands this module to them as the fixture `numbered`.
"""

import argparse
import resource
import sys

import numpy as np

from crystalvision.datasets import (
    Axis,
    Column,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    defect_columns,
)
from crystalvision.errors import CrystalVisionError

SIDE = 8
MADE = ("seed", "recipe", "source", "drawn_from")


COLUMNS = {
    "thickness_angstrom": Column(
        dtype="float32", units="angstrom", description="length along the beam"
    ),
    "configurations": Column(dtype="int32"),
}


def make_header(
    class_names=("no_defect", "25 % vacancies"),
    class_severities=(0.0, 0.9),
    columns=COLUMNS,
    **changes,
):
    fields = {
        "samples": 11,
        "image_shape": (1, SIDE, SIDE),
        "dtype": "uint16",
        "columns": {**defect_columns(class_names, class_severities), **columns},
        "axes": (
            Axis(name="q_y", size=SIDE, scale=0.25, offset=-1.0),
            Axis(name="q_x", size=SIDE, scale=0.125, offset=-0.5),
        ),
        "seed": 7,
        "recipe": {"name": "numbered", "dose": 1e4, "classes": [{"share": 0.5}, {"share": 0.5}]},
        "generator": {"crystalvision": "0.1.0", "torch": "2.11.0"},
        "samples_per_shard": 4,
    }
    fields = {**fields, **changes}
    made = {key: fields.pop(key) for key in MADE if key in fields}
    fields.setdefault("provenance", Simulated(**made))
    return DatasetHeader.model_validate(fields)


def seed_of(header):
    return getattr(header.provenance, "seed", 7)


def make_shard(header, shard):
    indices = header.shard_indices(shard)
    generators = [np.random.default_rng([seed_of(header), index]) for index in indices]
    draws = [g.integers(0, 1000, size=header.image_shape) for g in generators]
    images = np.stack(draws).astype(header.dtype)
    numbers = np.arange(indices.start, indices.stop)
    labels = numbers % len(header.class_names)
    columns = {
        "label": labels,
        "severity": np.array(header.class_severities, dtype=np.float32)[labels],
        "thickness_angstrom": np.array([g.uniform(50, 150) for g in generators]),
        "configurations": numbers.astype(np.int32),
    }
    return images, columns


def write(path, header=None, mode="create", *, shards=None, finish=True):
    header = header or make_header()
    with DatasetWriter.open(path, header, mode) as writer:
        for shard in writer.missing_shards() if shards is None else shards:
            writer.write_shard(shard, *make_shard(header, shard))
        if finish:
            writer.finish()
    return path


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--samples", type=int, default=11)
    parser.add_argument("--largest-file", type=int)
    parser.add_argument("--hold", action="store_true")
    arguments = parser.parse_args()
    header = make_header(samples=arguments.samples)
    say("ready")
    if arguments.largest_file:
        limits = (arguments.largest_file, resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    if arguments.hold:
        with DatasetWriter.open(arguments.path, header, "resume"):
            say("held")
            sys.stdin.read()
    try:
        write(arguments.path, header, "resume")
    except CrystalVisionError as error:
        say(f"{type(error).__name__} {error}")
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
