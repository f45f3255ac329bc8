"""NeXus files: HDF5 whose groups NXdata name their signal and its axes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.contracts import Frame, MeasuredFile, Reader
from crystalvision_readers._hdf5 import (
    SIGNATURE,
    evenly,
    groups_of,
    hdf5_images,
    is_images,
    number_of,
    text_of,
)
from crystalvision_readers._microscopy import (
    Scale,
    Stack,
    electron_facts,
    image_axes,
    is_reciprocal,
)

_MOST_POINTS = 2**20


class Nexus(Reader):
    """Images that groups NXdata of a NeXus file hold."""

    format = "NeXus"
    suffixes = (".nxs", ".nx5", ".nexus")
    signatures = (SIGNATURE,)

    def open(self, path: Path) -> MeasuredFile:
        """See `Reader.open`."""
        return hdf5_images(path, _stacks, "no group NXdata of it has images of numbers")


def _stacks(file: Any) -> list[Stack]:
    found: list[Stack] = []
    places = set()
    energy = _energy(file)
    for name, item in groups_of(file):
        if text_of(getattr(item, "attrs", {}).get("NX_class")) != "NXdata":
            continue
        data = _signal(item)
        if data is None or data.name in places:
            continue
        places.add(data.name)
        found.append(_stack(name, item, data, energy))
    return found


def _signal(group: Any) -> Any:
    """The dataset that a group calls its signal, if it holds images."""
    named = text_of(group.attrs.get("signal"), "data")
    data = group.get(named)
    if data is not None and is_images(data):
        return data
    marked = (group.get(name) for name in group)
    return next(
        (one for one in marked if is_images(one) and "signal" in one.attrs),
        None,
    )


def _stack(name: str, group: Any, data: Any, energy: float | None) -> Stack:
    axes = group.attrs.get("axes")
    names = [] if axes is None else [text_of(one) for one in np.atleast_1d(axes)]
    if len(names) != len(data.shape):
        names = [""] * len(data.shape)
    scales = [_scale(group, one, size) for one, size in zip(names, data.shape, strict=True)]
    last = len(scales) - 1
    shape = (int(data.shape[last - 1]), int(data.shape[last]))
    found, assumed = image_axes(shape, scales[-2:], energy)
    facts = electron_facts(energy_kev=energy, assumed=assumed)
    if energy is None:  # X-ray detectors write such files, too
        facts = replace(facts, radiation=None)
    frame = Frame(shape, data.dtype.newbyteorder("=").name, axes=found, facts=facts, title=name)
    return Stack(data, frame, (last - 1, last))


def _scale(group: Any, name: str, size: int) -> Scale:
    axis = group.get(name) if name and name != "." else None
    if axis is None or getattr(axis, "shape", ()) != (size,) or size > _MOST_POINTS:
        return Scale(0.0, "")
    even = evenly(axis[()]) if axis.dtype.kind in "iuf" else None
    if even is None or even[0] <= 0:
        return Scale(0.0, "")
    units = text_of(axis.attrs.get("units"))
    return Scale(even[0], units, even[1] if even[1] != 0 or not is_reciprocal(units) else None)


def _energy(file: Any) -> float | None:
    """Energy of electrons, where an instrument's source says that they are [keV]."""
    for _, item in groups_of(file):
        if text_of(getattr(item, "attrs", {}).get("NX_class")) not in {
            "NXsource",
            "NXebeam_column",
        }:
            continue
        probe = text_of(item.get("probe")) if item.get("probe") is not None else ""
        if "electron" not in probe.lower():
            continue
        dataset = item.get("energy") or item.get("voltage")
        value = number_of(dataset)
        if value is None:
            continue
        units = text_of(dataset.attrs.get("units")).lower()
        return value / 1e3 if units in {"ev", "v"} else value
    return None
