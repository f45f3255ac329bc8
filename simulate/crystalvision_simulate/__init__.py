"""Crystals with defects and their diffraction patterns, as a plugin of CrystalVision.

The data flow, a folder each: structures → defects → specimens → renderers → instruments, put
together by `recipes` and offered to `crystalvision.sources` by `source`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from crystalvision import hookimpl
from crystalvision_simulate.structures.prototypes import prototype_factories

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    from crystalvision.contracts import Crystal

_RECIPES = Path(__file__).parent / "recipes"


@hookimpl
def crystalvision_structures() -> "Mapping[str, str | Callable[..., Crystal]]":
    """Ideal crystals."""
    return {
        **prototype_factories(),
        "cif": "crystalvision_simulate.structures.cif:read_cif",
        "file": "crystalvision_simulate.structures.file:read_crystal",
        "si3n4-alpha": "crystalvision_simulate.structures.silicon_nitride:alpha_silicon_nitride",
        "si3n4-beta": "crystalvision_simulate.structures.silicon_nitride:beta_silicon_nitride",
    }


@hookimpl
def crystalvision_defects() -> Mapping[str, str]:
    """Defects."""
    return {
        "displacement": "crystalvision_simulate.defects.displacement:RandomDisplacement",
        "edge-dislocation": "crystalvision_simulate.defects.edge_dislocation:EdgeDislocation",
        "interstitial": "crystalvision_simulate.defects.interstitial:Interstitial",
        "strain": "crystalvision_simulate.defects.strain:Strain",
        "substitution": "crystalvision_simulate.defects.substitution:Substitution",
        "thermal-vibration": "crystalvision_simulate.defects.vibration:ThermalVibration",
        "twin": "crystalvision_simulate.defects.twin:Twin",
        "vacancy": "crystalvision_simulate.defects.vacancy:Vacancy",
    }


@hookimpl
def crystalvision_renderers() -> Mapping[str, str]:
    """Renderers."""
    return {
        "fingerprint": "crystalvision_simulate.renderers.fingerprint:Fingerprint",
        "kinematic": "crystalvision_simulate.renderers.kinematic:Kinematic",
        "multislice": "crystalvision_simulate.renderers.multislice:Multislice",
        "powder": "crystalvision_simulate.renderers.powder:PowderRings",
    }


@hookimpl
def crystalvision_instruments() -> Mapping[str, str]:
    """Instruments."""
    return {
        "area-detector": "crystalvision_simulate.instruments.area_detector:AreaDetector",
        "none": "crystalvision_simulate.instruments.none:NoInstrument",
        "powder-diffractometer": (
            "crystalvision_simulate.instruments.powder_diffractometer:PowderDiffractometer"
        ),
    }


@hookimpl
def crystalvision_sources() -> Mapping[str, str]:
    """The simulation engine, powder patterns of a library of phases, new exposures of datasets."""
    return {
        "exposures": "crystalvision_simulate.exposures:Exposures",
        "powder": "crystalvision_simulate.powder.plugin:open_source",
        "simulation": "crystalvision_simulate.source:open_source",
    }


@hookimpl
def crystalvision_recipes() -> Mapping[str, Path]:
    """Every recipe in the folder `recipes`."""
    return {path.stem: path for path in _RECIPES.glob("*.yaml")}


@hookimpl
def crystalvision_functions() -> Mapping[str, str]:
    """Functions of the Python face."""
    return {
        "calibrate": "crystalvision_simulate.calibrated_pictures:calibrate",
        "index": "crystalvision_simulate.indexed_pictures:index",
    }


@hookimpl
def crystalvision_commands() -> Mapping[str, str]:
    """Commands."""
    return {
        "bound": "crystalvision_simulate.bound_command:bound",
        "calibrate": "crystalvision_simulate.calibrate_command:calibrate",
        "index": "crystalvision_simulate.index_command:index",
        "show": "crystalvision_simulate.show:show",
    }
