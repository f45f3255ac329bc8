"""What a dataset says of each number that it keeps of a sample."""

from crystalvision.datasets import Column

# The longest suffix that fits says the units.
_UNITS = {
    "_inv_angstrom2": "1/angstrom^2",
    "_inv_angstrom": "1/angstrom",
    "_electrons_per_angstrom2": "electron/angstrom^2",
    "_counts_per_electron": "count/electron",
    "_angstrom": "angstrom",
    "_electrons": "electron",
    "_counts": "count",
    "_kev": "keV",
    "_mrad": "mrad",
    "_deg": "degree",
    "_px": "pixel",
}

_MEANINGS = {
    "zone_axis_u": "first index of the direction [uvw] along the beam",
    "zone_axis_v": "second index of the direction along the beam",
    "zone_axis_w": "third index of the direction along the beam",
    "thickness_angstrom": "thickness along the beam, before any strain",
    "energy_kev": "kinetic energy of the electrons",
    "mistilt_mrad": "angle between beam and zone axis",
    "mistilt_azimuth_deg": "direction of the mistilt, from x towards y",
    "rotation_deg": "rotation of the pattern on the detector",
    "centre_offset_x_px": "where the direct beam falls, from the middle of the detector",
    "centre_offset_y_px": "where the direct beam falls, from the middle of the detector",
    "camera_length_error": "relative error of the camera length",
    "dose_electrons": "electrons that hit the specimen, for one pattern",
    "dose_electrons_per_angstrom2": "electrons that hit each area of the specimen",
    "point_spread_px": "standard deviation of the detector's point spread",
    "inelastic_fraction": "part of the electrons in the smooth background",
    "beam_stop_arm_angle_deg": "direction of the beam stop's arm",
    "gain_counts_per_electron": "mean counts of one electron",
    "dark_counts": "mean dark counts of a pixel",
    "vacancy_fraction": "measured: atoms removed, over those that were there",
    "displacement_rms_angstrom": "measured: displacement along one axis, root mean square",
    "thermal_displacement_rms_angstrom": "measured: thermal motion along one axis, "
    "root mean square",
    "substitution_fraction": "measured: atoms replaced, over all",
    "interstitial_fraction": "measured: atoms added, over those that were there",
    "twin_fraction": "measured: atoms in the twin, over all",
    "dislocation_density_inv_angstrom2": "measured: length of dislocation lines over the volume",
}


def column_of(name: str) -> Column:
    """Units and meaning of a column; of a stranger's, what its name tells."""
    meaning = _MEANINGS.get(name, "")
    if name.startswith("strain_"):
        meaning = f"measured: component {name.removeprefix('strain_')} of the strain tensor"
    return Column(dtype="float32", units=_units(name), description=meaning)


def _units(name: str) -> str:
    fitting = [suffix for suffix in _UNITS if f"_{name}".endswith(suffix)]
    return _UNITS[max(fitting, key=len)] if fitting else "1"
