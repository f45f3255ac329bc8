"""What was found, in words: for the figure, the terminal and the head of the YAML file."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from crystalvision.text import one_line
from crystalvision.yaml_text import dump_yaml
from crystalvision_simulate.microscope._blemishes import LEAST_GAIN
from crystalvision_simulate.microscope._calibrate import Calibrated
from crystalvision_simulate.microscope._parted import Parted

_WIDTH = 98
_UNLIKE = 0.15  # of what is measured: simulated pictures are then not like it


def facts(one: Calibrated) -> list[tuple[str, str]]:
    """What was found of a picture: names and values with their units."""
    analysed, geometry = one.analysed, one.geometry
    x, y = (analysed.on_picture(place) for place in geometry.centre)
    error = analysed.centre_error_px * analysed.factor
    lines = [("centre", f"x {x:.2f}, y {y:.2f} px (± {error:.2f})")]
    if len(analysed.others):
        places = "; ".join(
            f"{analysed.on_picture(x):.0f}, {analysed.on_picture(y):.0f}"
            for x, y in analysed.others[:3]
        )
        more = f" and {len(analysed.others) - 3} others" if len(analysed.others) > 3 else ""
        lines.append(("or, as likely", f"{places}{more} px"))
    lines.append(("pixel", _pixel(one)))
    if one.knows_ellipse:
        ratio, angle = 100 * geometry.ellipticity, geometry.ellipticity_angle_deg
        lines.append(("ellipse", f"{ratio:.2f} %, long axis at {angle:.0f}°"))
    else:
        lines.append(("ellipse", "not told: it takes rings, or spots of a named crystal"))
    lines += _shown(one)
    lines += _recorded(one)
    return lines


def _pixel(one: Calibrated) -> str:
    size = one.pixel_size_inv_angstrom
    if size is not None:
        size /= one.analysed.factor
    if size is None:
        return "size not told: it takes a crystal, a scale bar's number or --pixel-size"
    error = f" (± {100 * one.pixel_size_error:.2f} %)"
    return f"{size:.6g} 1/Å{error}, from {one.pixel_size_from}; 1/Å is {1 / size:.5g} px"


def _shown(one: Calibrated) -> list[tuple[str, str]]:
    analysed = one.analysed
    lines = []
    if analysed.rings is not None:
        matched = "" if one.rings is None else f", {len(one.rings.rings)} of them the crystal's"
        if one.rings is not None and one.lines is not None and one.lines.texture is not None:
            matched += f", of a film with {_axis(one.lines.texture)} along the beam"
        lines.append(("rings", f"{len(analysed.rings.radii_px)}{matched}"))
    if analysed.lattice is not None:
        members = len(analysed.lattice.members)
        lines.append(("spots", f"{len(analysed.spots)}, {members} of them on a lattice"))
    else:
        lines.append(("spots", f"{len(analysed.spots)}, on no lattice"))
    if one.zone is not None:
        others = ", ".join(_axis(each.zone_axis) for each in one.other_zones)
        lines.append(
            ("zone axis", _axis(one.zone.zone_axis) + (f"; or {others}" if others else ""))
        )
    return lines


def _axis(zone: Sequence[int]) -> str:
    return "[" + " ".join(map(str, zone)) + "]"


def _recorded(one: Calibrated) -> list[tuple[str, str]]:
    analysed = one.analysed
    lines = []
    stop, factor = analysed.stop, analysed.factor
    if stop is not None:
        arm = (
            f", arm {stop.arm_width * factor:.1f} px wide at {stop.arm_angle_deg:.0f}°"
            if stop.arm_width
            else ""
        )
        lines.append(("beam stop", f"radius {stop.radius * factor:.1f} px{arm}"))
        lines.append(("point spread", f"{stop.blur * factor:.2f} px, from the edge of the stop"))
    else:
        lines.append(("beam stop", "none"))
        if len(analysed.spots):
            lines.append(
                ("point spread", f"at most {analysed.spots.sigma_px * factor:.1f} px, as spots")
            )
    blemishes = analysed.blemishes
    counted = ", ".join(
        f"{getattr(blemishes, part).sum()} {name}"
        for part, name in (("hot", "hot"), ("dead", "dead"), ("written", "written on"))
    )
    share = 100 * analysed.hidden.mean()
    lines.append(("hidden", f"{share:.2f} % of the pixels; {counted}"))
    if blemishes.bar_px:
        lines.append(("scale bar", f"{blemishes.bar_px:.0f} px"))
    noise = analysed.noise
    gain = (
        f"{noise.gain:.3g} an electron, if noise is counting"
        if noise.gain > LEAST_GAIN
        else "gain not told"
    )
    gamma = "" if analysed.gamma == 1 else f"; gamma {analysed.gamma:.2f}, undone here"
    lines.append(("counts", f"{gain}; {noise.offset:.3g} without any{gamma}"))
    return [*lines, *_background(one)]


def _background(one: Calibrated) -> list[tuple[str, str]]:
    background = one.background
    if background is None:
        return []
    size = one.pixel_size_inv_angstrom
    unit, factor = ("px", 1.0) if size is None else ("1/Å", size)
    halo = f"half width {background.half_width_px * factor:.3g} {unit}"
    place, width = background.ring_radius_px * factor, background.ring_width_px * factor
    ring = f"broad ring at {place:.3g} {unit}, ± {width:.2g}"
    return [("halo", f"{halo}; {ring}; fits within {100 * background.misfit:.1f} %")]


def part_facts(parted: Parted) -> list[tuple[str, str]]:
    """What the microscope has, where specimens were parted from it: names and values."""
    one = parted.pictures[0]
    size = one.pixel_size_inv_angstrom
    unit, factor = ("px", 1.0) if size is None else ("1/Å", size)
    lines = []
    for name, of in (
        ("measured", parted.measured),
        ("simulated", parted.simulated),
        ("microscope alone", parted.microscope),
    ):
        halo = (
            f"halo {of.halo_counts:.3g} counts, half width {of.half_width_px * factor:.3g} {unit}"
        )
        place, width = of.ring_radius_px * factor, of.ring_width_px * factor
        ring = f"broad ring {of.ring_counts:.3g} counts at {place:.3g} {unit}, ± {width:.2g}"
        lines.append((name, f"{halo}; {ring}; {of.gain:.3g} an electron"))
    if parted.off > _UNLIKE:
        text = (
            f"by up to {parted.off:.0%} of what is measured: specimens of this recipe "
            "scatter more than these do; use the twin with care, or calibrate without --recipe"
        )
        lines.append(("simulated pictures differ", text))
    return lines


def yaml_of(
    options: Mapping[str, Any], found: Sequence[Calibrated], parted: Parted | None = None
) -> str:
    """The twin as a YAML file, with what was found of each picture as comments."""
    lines = [
        "# The twin of a microscope, as `crystalvision calibrate` found it: look at the figure.",
        "# A recipe takes it by `instrument: ./instrument.yaml`. Ranges are what varies between",
        "# pictures and what is not certain; dose, gain and background are rough.",
    ]
    for one in found[:20]:
        lines.append(f"# {one_line(one.analysed.measured.name)}")
        lines += [f"#   {name}: {value}"[:_WIDTH] for name, value in facts(one)]
    if parted is not None:
        lines.append("# without what specimens scatter diffusely, medians")
        for name, value in part_facts(parted):
            lines += [f"#   {line}" for line in wrap(f"{name}: {value}", _WIDTH)]
    return "\n".join(lines) + "\n" + dump_yaml(dict(options))


def as_json(one: Calibrated) -> dict[str, Any]:
    """What was found of a picture, for programs."""
    analysed, geometry, stop = one.analysed, one.geometry, one.analysed.stop
    factor, size = analysed.factor, one.pixel_size_inv_angstrom
    return {
        "picture": analysed.measured.name,
        "centre_x_px": analysed.on_picture(geometry.x),
        "centre_y_px": analysed.on_picture(geometry.y),
        "centre_error_px": analysed.centre_error_px * factor,
        "other_centres_px": [
            [analysed.on_picture(x), analysed.on_picture(y)] for x, y in analysed.others.tolist()
        ],
        "ellipticity": geometry.ellipticity if one.knows_ellipse else None,
        "ellipticity_angle_deg": geometry.ellipticity_angle_deg if one.knows_ellipse else None,
        "pixel_size_inv_angstrom": None if size is None else size / factor,
        "pixel_size_error": one.pixel_size_error if one.pixel_size_inv_angstrom else None,
        "pixel_size_from": one.pixel_size_from,
        "rings_px": [] if analysed.rings is None else (analysed.rings.radii_px * factor).tolist(),
        "spots": len(analysed.spots),
        "zone_axis": None if one.zone is None else list(one.zone.zone_axis),
        "beam_stop": None
        if stop is None
        else {
            "x_px": analysed.on_picture(stop.x),
            "y_px": analysed.on_picture(stop.y),
            "radius_px": stop.radius * factor,
            "arm_width_px": stop.arm_width * factor,
            "arm_angle_deg": stop.arm_angle_deg,
        },
        "point_spread_px": None if stop is None else stop.blur * factor,
        "hidden_share": float(analysed.hidden.mean()),
        "hot_pixels": int(analysed.blemishes.hot.sum()),
        "dead_pixels": int(analysed.blemishes.dead.sum()),
        "scale_bar_px": analysed.blemishes.bar_px or None,
        "gamma": analysed.gamma,
        "gain_counts_per_electron": analysed.noise.gain,
        "offset_counts": analysed.noise.offset,
    }
