"""Files of HyperSpy: HDF5 with an experiment for each signal."""

from pathlib import Path
from typing import Any

from crystalvision.contracts import Frame, MeasuredFile, Reader
from crystalvision_readers._hdf5 import (
    SIGNATURE,
    hdf5_images,
    is_images,
    number_of,
    text_of,
)
from crystalvision_readers._microscopy import Scale, Stack, electron_facts, image_axes


class Hspy(Reader):
    """Signals of HyperSpy whose signal axes are two."""

    format = "HyperSpy"
    suffixes = (".hspy",)
    signatures = (SIGNATURE,)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return hdf5_images(path, _stacks, "it holds no signal of two dimensions")


def _stacks(file: Any) -> list[Stack]:
    experiments = file.get("Experiments", {})
    stacks = [_stack(name, experiments[name]) for name in experiments]
    return [stack for stack in stacks if stack is not None]


def _stack(name: str, experiment: Any) -> Stack | None:
    data = experiment.get("data")
    if data is None or not is_images(data):
        return None
    axes = [experiment.get(f"axis-{number}") for number in range(len(data.shape))]
    if any(axis is None for axis in axes):
        return None
    signal = [number for number, axis in enumerate(axes) if not bool(axis.attrs.get("navigate"))]
    if len(signal) != 2:
        return None
    microscope = experiment.get("metadata/Acquisition_instrument/TEM")
    attributes = {} if microscope is None else microscope.attrs
    energy = number_of(attributes.get("beam_energy"))
    length = number_of(attributes.get("camera_length"))
    scales = [_scale(axes[number].attrs) for number in signal]
    shape = (int(data.shape[signal[0]]), int(data.shape[signal[1]]))
    found, assumed = image_axes(shape, scales, energy)
    facts = electron_facts(
        energy_kev=energy,
        time_s=_exposure(experiment),
        camera_length_mm=None if length is None else length * 10,  # it is in cm there
        assumed=assumed,
    )
    dtype = data.dtype.newbyteorder("=").name
    frame = Frame(shape, dtype, axes=found, facts=facts, title=name)
    return Stack(data, frame, (signal[0], signal[1]))


def _scale(attributes: Any) -> Scale:
    step = number_of(attributes.get("scale")) or 0.0
    offset = number_of(attributes.get("offset"))
    # An offset of zero is what an axis has of which nobody said where zero is.
    return Scale(step, text_of(attributes.get("units")), offset if offset else None)


def _exposure(experiment: Any) -> float | None:
    """Exposure of the camera, where the metadata have it [s]."""
    camera = experiment.get("metadata/Acquisition_instrument/TEM/Detector/Camera")
    return None if camera is None else number_of(camera.attrs.get("exposure"))
