"""Do trained systems know the patterns of another engine, sampled finely?

    pip install "crystalvision[compare]"
    python benchmarks/other_engine.py runs/lattice runs/quick --dose 1e4 --work runs/other-engine

The same specimens, orientations and instruments, of a seed of their own, are rendered thrice: as
the recipe `si3n4-four-classes` says, as `si3n4-converged` says, and by abTEM in slices of a layer.
Each run is asked for the classes of all three. Written are accuracy, and whom pristine crystals are
taken for, which are what coarse slices change most. What is there already is not made again.
"""

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch

import crystalvision as cv
from crystalvision.contracts import Beam, Pattern, Renderer, Specimen
from crystalvision.datasets import Dataset
from crystalvision.evaluation import wilson_interval
from crystalvision.prediction import Predictor

RESULTS = Path(__file__).parent / "results" / "other_engine.json"
CHUNK = 40
SEED = 77
PRISTINE = "pristine"


class AbtemRenderer(Renderer):
    """abTEM's multislice of plane waves."""

    def __init__(
        self, slice_thickness_angstrom: float = 1.4556, band_limit_inv_angstrom: float = 3.3
    ) -> None:
        self.slice_thickness_angstrom = slice_thickness_angstrom
        self.band_limit_inv_angstrom = band_limit_inv_angstrom
        self._one_at_a_time = Lock()  # its configuration is that of the process

    def render(
        self,
        specimens: Sequence[Sequence[Specimen]],
        beams: Sequence[Beam],
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> list[Pattern]:
        """See `Renderer.render`."""
        found = []
        for configurations, beam in zip(specimens, beams, strict=True):
            with self._one_at_a_time:
                intensity = np.mean([self._pattern(one, beam) for one in configurations], axis=0)
            width, height, _ = configurations[0].box_angstrom.tolist()
            found.append(
                Pattern.diffraction(
                    torch.from_numpy(intensity)[None].to(device, dtype),
                    (1 / height, 1 / width),
                    (intensity.shape[0] // 2, intensity.shape[1] // 2),
                    self.band_limit_inv_angstrom,
                )
            )
        return found

    def _pattern(self, specimen: Specimen, beam: Beam) -> np.ndarray:
        """Of one configuration, q = 0 in the middle, (h, w)."""
        import abtem
        from ase import Atoms

        box = specimen.box_angstrom
        atoms = Atoms(specimen.numbers, specimen.positions, cell=box, pbc=True)
        atoms.wrap()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it will change one day
            potential: Any = abtem.Potential(
                atoms,
                # abTEM keeps the inner two thirds of the Nyquist frequency.
                gpts=tuple(int(np.ceil(3 * self.band_limit_inv_angstrom * one)) for one in box[:2]),
                slice_thickness=self.slice_thickness_angstrom,
                parametrization="lobato",
                projection="infinite",
            )
            # abTEM tilts the beam, we the crystal.
            wave: Any = abtem.PlaneWave(
                energy=beam.energy_kev * 1e3, tilt=(-beam.mistilt_x_mrad, -beam.mistilt_y_mrad)
            )
            waves = wave.multislice(potential, lazy=False)
            pattern = waves.diffraction_patterns(max_angle=None)
        return np.asarray(pattern.array).T


def main() -> None:
    """Make what is not there, ask every run, and write what they say."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path, help="trained on si3n4-four-classes")
    parser.add_argument("--dose", type=float, default=1e4, help="that of the runs [electrons]")
    parser.add_argument("--samples", type=int, default=80)
    parser.add_argument("--width", type=float, default=60, help="of the box [Å]")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    cv.register(renderer={"abtem": AbtemRenderer})
    engines = {
        "as the recipe renders": ("si3n4-four-classes", {}),
        "converged": ("si3n4-converged", {}),
        "abTEM": ("si3n4-four-classes", {"renderer": {"name": "abtem"}}),
    }
    rows = []
    for number, (engine, (recipe, changes)) in enumerate(engines.items()):
        path = options.work / f"engine-{number}.zarr"
        if not path.exists():
            same = {
                "instrument.dose_electrons": options.dose,
                "specimen.width_angstrom": options.width,
            }
            cv.simulate(
                recipe, path, set=changes | same, samples=options.samples, seed=SEED, card=False
            )
        data = Dataset.open(path)
        rows += [judged(run, engine, data) for run in options.runs]
    about = (
        f"{options.samples} patterns of si3n4-four-classes at {options.dose:g} electrons, boxes of "
        f"{options.width:g} Å, of the same specimens and instruments, rendered by each engine."
    )
    written = {"about": about, "results": rows}
    options.output.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", "utf-8")


def judged(run: Path, engine: str, data: Dataset) -> dict[str, Any]:
    """What a run says of an engine's patterns."""
    predictor = Predictor.load(run)
    parts = [np.arange(len(data))[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    said = np.concatenate([predictor.predict(data.images(one))["label"].value for one in parts])
    truth, names = data.column("label"), data.header.class_names
    right = said == truth
    low, high = wilson_interval(int(right.sum()), len(right))
    pristine = truth == names.index(PRISTINE)
    taken = {name: int((said[pristine] == one).sum()) for one, name in enumerate(names)}
    row = {
        "run": run.name,
        "engine": engine,
        "accuracy": round(float(right.mean()), 4),
        "interval_95": [round(low, 4), round(high, 4)],
        "right": [int(one) for one in right],
        "pristine_taken_for": {name: count for name, count in taken.items() if count},
    }
    print({key: value for key, value in row.items() if key != "right"}, flush=True)
    return row


if __name__ == "__main__":
    main()
