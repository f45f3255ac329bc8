"""What a network loses on another microscope, and what its twin, adaptation and a mask give back.

    python benchmarks/measured_microscope.py -o measured_microscope.json
    python benchmarks/measured_microscope.py --samples 60 --test 40 --epochs 1

A synthetic microscope takes aluminium with an ellipse, a halo, an amorphous ring, a beam stop with
its arm and a centre off the middle. `crystalvision calibrate` finds its twin from 20 pictures,
their dose and the recipe of their specimens. One network is trained on the microscope itself, which
is ideal, one on the twin, one on the instrument that recipes are shipped with. Each is judged on
new pictures of the microscope, as it was trained and after its batch statistics are adapted to
others of them without labels. Then the stop stands anywhere, and a network that sees the mask as a
channel is compared with one that does not. What two networks say of the same pictures is compared
picture by picture; the microscope and its twin have several trainings each.
"""

import argparse
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import crystalvision as cv
from crystalvision.api.evaluations import Evaluation
from crystalvision.cli import main as command
from crystalvision.config import load_yaml
from crystalvision.yaml_text import dump_yaml

_CRYSTAL = {
    "extends": "aluminium-four-classes",
    "specimen": {
        "zone_axis": [0, 0, 1],
        "width_angstrom": 24.3,
        "thickness_angstrom": {"uniform": [40, 80]},
    },
    "renderer": {"name": "kinematic", "band_limit_inv_angstrom": 1.7},
}
_SHIPPED = {  # of si3n4-four-classes, on fewer pixels
    "name": "area-detector",
    "pixels": 128,
    "pixel_size_inv_angstrom": 0.0175,
    "rotation_deg": {"uniform": [0, 360]},
    "centre_offset_x_px": {"uniform": [-2, 2]},
    "centre_offset_y_px": {"uniform": [-2, 2]},
    "camera_length_error": {"uniform": [-0.02, 0.02]},
    "dose_electrons": 3e5,
    "point_spread_px": {"uniform": [0.5, 1.0]},
    "beam_stop_radius_inv_angstrom": 0.06,
    "mask_unseen": True,
}
_MICROSCOPE = _SHIPPED | {
    "centre_offset_x_px": {"uniform": [5.5, 6.5]},
    "centre_offset_y_px": {"uniform": [-4.5, -3.5]},
    "camera_length_error": 0.01,
    "ellipticity": 0.03,
    "ellipticity_angle_deg": 35.0,
    "inelastic_fraction": 0.3,
    "inelastic_half_width_inv_angstrom": 0.06,
    "inelastic_cutoff_inv_angstrom": 1.1,
    "amorphous_fraction": 0.15,
    "amorphous_radius_inv_angstrom": 0.4,
    "amorphous_width_inv_angstrom": 0.09,
    "point_spread_px": 0.9,
    "gain_counts_per_electron": 3.0,
    "beam_stop_radius_inv_angstrom": 0.07,
    "beam_stop_arm_width_inv_angstrom": 0.06,
    "beam_stop_arm_angle_deg": 200.0,
}
_ANYWHERE = _MICROSCOPE | {
    "beam_stop_radius_inv_angstrom": {"uniform": [0.05, 0.2]},
    "beam_stop_offset_x_inv_angstrom": {"uniform": [-0.15, 0.15]},
    "beam_stop_offset_y_inv_angstrom": {"uniform": [-0.15, 0.15]},
    "beam_stop_arm_width_inv_angstrom": {"uniform": [0.05, 0.3]},
    "beam_stop_arm_angle_deg": {"uniform": [0, 360]},
}
_COMPARED = (
    ("twin, as trained", "ideal, as trained"),
    ("twin, adapted", "ideal, as trained"),
    ("twin, adapted", "ideal, adapted"),
    ("shipped, as trained", "ideal, as trained"),
    *((f"{name}, adapted", f"{name}, as trained") for name in ("ideal", "twin", "shipped")),
    ("stops anywhere, mask-channel", "stops anywhere, mean"),
)
_RESAMPLES = 200
_DOSE_ERROR = 0.05  # that is how well the user knows the dose
_INPUTS: dict[str, list[Any]] = {
    "mean": [{"name": "bin", "size": 2}, "log1p", "standardise"],
    "mask-channel": [{"name": "bin", "size": 2}, "log1p", "standardise", "mask-channel"],
}


def main() -> None:
    """Measure, print, and write what was asked for."""
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        found = _Study(folder, options).run()
    if options.output:
        options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


class _Study:
    """Datasets and runs of one study, kept in a folder: what is there is not made again."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.right: dict[str, list[np.ndarray[Any, Any]]] = {}

    def run(self) -> dict[str, Any]:
        """All figures: accuracies in shares, with 95 % intervals."""
        options = self.options
        self.simulate("test", _MICROSCOPE, options.test, seed=100)
        twin = self.twin()
        found: dict[str, Any] = {
            "samples": options.samples,
            "pictures": options.pictures,
            "test": options.test,
            "adapt": options.adapt,
            "epochs": options.epochs,
            "twin": twin,
            "accuracy": {},
        }
        kinds = {"ideal": _MICROSCOPE, "twin": twin, "shipped": _SHIPPED}
        for number, (name, instrument) in enumerate(kinds.items()):
            data = self.simulate(name, instrument, options.samples, seed=number)
            for seed in range(1 if name == "shipped" else options.seeds):  # by chance, all alike
                run = self.train(f"{name}-{seed}", data, "mean", seed)
                self.adapt(found, name, seed, run)
        stops = self.simulate("stops", _ANYWHERE, options.samples, seed=7)
        self.simulate("stops-test", _ANYWHERE, options.test, seed=107)
        for kind in _INPUTS:
            run = self.train(f"stops-{kind}-0", stops, kind, 0)
            made = cv.Run.load(run).evaluate(self.folder / "stops-test.zarr", resamples=_RESAMPLES)
            self.tell(found, f"stops anywhere, {kind}", 0, made)
        found["difference"] = {}
        for one, other in _COMPARED:
            self.compare(found, one, other)
        return found

    def simulate(self, name: str, instrument: dict[str, Any], samples: int, seed: int) -> Path:
        """A dataset of an instrument."""
        path = self.folder / f"{name}.zarr"
        if not path.exists():
            recipe = path.with_suffix(".yaml")
            recipe.write_text(dump_yaml(_CRYSTAL | {"name": name, "instrument": instrument}))
            cv.simulate(recipe, path, samples=samples, seed=seed, workers=1, card=False)
        return path

    def twin(self) -> dict[str, Any]:
        """The instrument that `calibrate` finds from some pictures of the microscope."""
        path = self.folder / "instrument.yaml"
        if not path.exists():
            pictures = self.simulate("pictures", _MICROSCOPE, self.options.pictures, seed=200)
            stack = self.folder / "pictures.npy"
            _write_stack(pictures, stack)
            words = ["calibrate", stack, "--crystal", "aluminium", "--zone-axis", "0,0,1"]
            words += ["--dose-electrons", _SHIPPED["dose_electrons"], "--dose-error", _DOSE_ERROR]
            recipe = self.folder / "specimens.yaml"
            recipe.write_text(dump_yaml(_CRYSTAL | {"name": "specimens"}))
            words += ["--recipe", recipe]
            if command([*map(str, words), "-o", str(path), "--overwrite"]):
                raise SystemExit("calibrate failed")
        return load_yaml(path)

    def train(self, name: str, data: Path, kind: str, seed: int) -> Path:
        """A run of `single` on a dataset."""
        path = self.folder / "runs" / name
        if not path.exists():
            changes = {"input": _INPUTS[kind], "schedule.classifier.epochs": self.options.epochs}
            cv.train("single", data, path, set=changes, seed=seed)
        return path

    def adapt(self, found: dict[str, Any], name: str, seed: int, run: Path) -> None:
        """What adaptation to some of the test patterns changes on the others."""
        data, first = self.folder / "test.zarr", self.options.adapt
        trained = cv.Run.load(run)
        adapted = run.with_name(f"{run.name}-adapted")
        changed = trained.adapt(f"{data}[0:{first}]", path=adapted, overwrite=True)
        rest = list(range(first, self.options.test))
        for what, each in (("as trained", trained), ("adapted", changed)):
            made = each.evaluate(data, subset=rest, resamples=_RESAMPLES)
            self.tell(found, f"{name}, {what}", seed, made)

    def tell(self, found: dict[str, Any], name: str, seed: int, evaluation: Evaluation) -> None:
        """Keep an accuracy, and print it."""
        label = evaluation.metrics.targets["label"]
        accuracy = label.numbers()["accuracy"]
        low, high = label.intervals.of("accuracy") or (None, None)
        found["accuracy"][f"{name}, seed {seed}"] = [accuracy, low, high]
        print(f"{name}, seed {seed}: {accuracy:.4f} [{low}, {high}]", flush=True)
        judged = evaluation.judged["label"]
        right = np.asarray(judged.value) == np.asarray(judged.truth)
        self.right.setdefault(name, []).append(right)

    def compare(self, found: dict[str, Any], one: str, other: str) -> None:
        """By how much networks are more often right than others, with the 95 % interval.

        Of the mean over seeds, of pictures and of seeds alike: the errors of both are added.
        """
        seeds = range(min(len(self.right[one]), len(self.right[other])))
        more = np.stack([self.right[one][n].astype(float) - self.right[other][n] for n in seeds])
        mean, variance = float(more.mean()), more.mean(axis=0).var(ddof=1) / more.shape[1]
        if len(more) > 1:
            variance += more.mean(axis=1).var(ddof=1) / len(more)
        error = 1.96 * float(variance) ** 0.5
        found["difference"][f"{one} less {other}"] = [mean, mean - error, mean + error, len(more)]
        print(f"{one} less {other}: {mean:+.4f} ± {error:.4f}, {len(more)} seeds", flush=True)


def _write_stack(data: Path, path: Path) -> None:
    pictures = cv.Dataset.open(data)
    np.save(path, pictures.images(np.arange(len(pictures)))[:, 0])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=2400, help="to train on, of each instrument")
    parser.add_argument("--test", type=int, default=2100, help="new pictures of the microscope")
    parser.add_argument("--pictures", type=int, default=20, help="to calibrate with")
    parser.add_argument("--adapt", type=int, default=100, help="of them, to adapt to")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep datasets and runs in this folder")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
