"""What was measured, as Markdown on a page."""

from collections.abc import Callable
from itertools import pairwise

from _simulation.settings import Result


def render(document: Result) -> str:
    """The sections that are there, in words and tables."""
    sections = document["sections"]
    parts = [f"# The simulation engine on a {'CPU' if document['device'] == 'cpu' else 'GPU'}"]
    machines = {name: _machine(section["machine"]) for name, section in sections.items()}
    alike = len(set(machines.values())) == 1
    parts += [f"{next(iter(machines.values()))}. {_RATIOS}" if alike else _RATIOS]
    for name, (title, write) in _SECTIONS.items():
        if name in sections:
            section = sections[name]
            note = "" if section["settings"]["size"] == "full" else _NOT_FULL
            parts += [f"## {title}", *([] if alike else [f"{machines[name]}."])]
            parts += [note + write(section["measured"]), f"`{section['command']}`"]
    return "\n\n".join(parts) + "\n"


_RATIOS = "Ratios are medians of pairs taken in turn, least to greatest in brackets."
_NOT_FULL = "*Not a full run: these numbers only show that the benchmark works.*\n\n"


def _machine(machine: Result) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items() if value)
    words = [machine.get("gpu"), machine["processor"], f"{machine['threads']} threads"]
    words += [machine["system"], f"Python {machine['python']}", versions]
    return "; ".join(word for word in words if word)


def _accuracy(measured: Result) -> str:
    edges = measured["ring_edges_of_nyquist"]
    pairs = list(pairwise(edges))
    rows = [
        [name, *(f"{error:.1e}" for error in rings)]
        for name, rings in measured["relative_error"].items()
    ]
    head = ["g / Nyquist", *(f"{low:.1f}–{min(high, 2 / 3):.2g}" for low, high in pairs)]
    points = " × ".join(map(str, measured["grid"]))
    text = f"{measured['atoms']} atoms at random positions, {points} points; exact: a float64 sum."
    return f"{text}\n\n{_grid(head, rows)}"


def _multislice(measured: Result) -> str:
    points = " × ".join(map(str, measured["grid"]))
    text = (
        f"{measured['atoms']} atoms, {points} points, {measured['slices']} slices, potentials "
        "included."
    )
    floor = _spread(measured["ours_over_fft_floor"])
    rows = [
        ["FFT floor", _time(measured["fft_floor_seconds"]["median"]), "", ""],
        ["ours", _time(measured["ours_seconds"]["median"]), f"{floor} of the floor", ""],
    ]
    for projection in ("infinite", "finite"):
        peer = measured.get(f"abtem_{projection}")
        if peer:
            rows.append(
                [
                    f"abTEM, {projection} ({peer['fastest']})",
                    _time(peer["seconds"]["median"]),
                    f"{_spread(peer['abtem_over_ours'])} of ours",
                    f"{peer['greatest_beam_difference']:.1e}",
                ]
            )
    text += "\n\n" + _grid(["", "time", "ratio", "greatest beam difference"], rows)
    if measured["peer_missing"]:
        text += f"\n\nabTEM: {measured['peer_missing']}."
    if "all_cores" in measured:
        both = measured["all_cores"]
        text += (
            "\n\nMany patterns, one on each core: ours "
            f"{both['ours_per_second']['median']:.3g} a second, abTEM (infinite) "
            f"{both['abtem_infinite_per_second']['median']:.3g}; ratio "
            f"{_spread(both['ours_over_abtem'])}."
        )
    return text


def _kinematic(measured: Result) -> str:
    text = (
        f"A pattern to {measured['reach_inv_angstrom']} 1/Å of {measured['atoms']} atoms; peers "
        "that take longer on the largest supercell that they finish in time (a minute in a full "
        "run). pymatgen computes ideal cells: a zone, or a powder, so its work is another."
    )
    cost = measured["ours_microseconds_an_atom"]
    rows = [
        [
            "ours",
            str(measured["atoms"]),
            _time(measured["ours_seconds"]["median"]),
            _number(cost),
            "",
        ]
    ]
    for name, peer in measured.get("diffsims_atomic", {}).items():
        rows.append(
            [
                f"diffsims, atoms by FFT, {name} (correlation {peer['correlation']:.3f})",
                str(measured["atoms"]),
                _time(peer["seconds"]["median"]),
                _number(peer["microseconds_an_atom"]),
                _spread(peer["theirs_over_ours"]),
            ]
        )
    peer = measured.get("diffsims_reflections")
    if peer:
        rows.append(
            [
                "diffsims, sum over reflections",
                str(peer["largest_atoms"]),
                _time(peer["largest_seconds"]),
                _number(peer["microseconds_an_atom"]),
                f"{_number(peer['theirs_over_ours_an_atom'])} an atom",
            ]
        )
    for name in ("TEMCalculator", "XRDCalculator"):
        calculator = measured["pymatgen"][name]
        rows.append(
            [
                f"pymatgen, {name}",
                str(calculator["largest_atoms"]),
                _time(calculator["fit"]["seconds"][-1]),
                _number(calculator["microseconds_an_atom"]),
                f"{_number(calculator['microseconds_an_atom'] / cost)} an atom",
            ]
        )
    text += "\n\n" + _grid(["", "atoms", "time", "µs an atom", "ratio to ours"], rows)
    if peer and "extrapolated_seconds" in peer:
        text += (
            f"\n\nThe sum over reflections takes a·nᵇ with b = {peer['fit']['exponent']:.2f}; "
            f"taken to {measured['atoms']} atoms that is {_time(peer['extrapolated_seconds'])}, "
            f"{_number(peer['theirs_over_ours_extrapolated'])} times ours."
        )
    return text


def _recipes(measured: Result) -> str:
    rows = []
    for name, recipe in measured.items():
        shares = recipe["stage_share"]
        rows.append(
            [
                name,
                _spread(recipe["patterns_a_second"]),
                f"{recipe['mean_atoms']:.0f}",
                *(f"{shares[stage]:.1%}" for stage in shares),
            ]
        )
    head = ["recipe", "patterns/s", "atoms", "scene", "render", "project, expose", "write"]
    return (
        "Patterns a second on all cores, files included; shares of the time of one pattern, one "
        f"thread.\n\n{_grid(head, rows)}"
    )


def _growth(measured: Result) -> str:
    rows = [
        [
            name.replace("_", ", "),
            f"{_number(fit['sizes'][0])} to {_number(fit['sizes'][-1])}",
            f"{fit['exponent']:.2f}",
            f"{fit['last_exponent']:.2f}",
        ]
        for name, fit in measured.items()
    ]
    return _grid(["what grows", "from, to", "log–log slope", "at the end"], rows)


def _memory(measured: Result) -> str:
    rows = [
        [str(run["samples"]), f"{run['peak_bytes'] / 2**20:.0f} MiB"] for run in measured["runs"]
    ]
    return (
        f"Peak resident memory of `crystalvision simulate {measured['recipe']}`, small specimens."
        f"\n\n{_grid(['samples', 'peak'], rows)}"
    )


def _gpu(measured: Result) -> str:
    rows = [
        [
            str(entry["batch"]),
            _spread(entry["patterns_a_second"]),
            _spread(entry["projected_patterns_a_second"]),
            f"{(entry['peak_device_bytes'] or 0) / 2**30:.2f} GiB",
        ]
        for entry in measured["batches"]
    ]
    head = ["batch", "rendered/s", "rendered and projected/s", "peak memory"]
    return (
        f"{_grid(head, rows)}\n\n"
        f"Byte floor {measured['byte_floor_patterns_a_second']:.4g} patterns/s at "
        f"{measured['copy_bytes_a_second'] / 1e9:.4g} GB/s; FFT floor "
        f"{measured['fft_floor_patterns_a_second']:.4g} patterns/s. Intensities differ from the "
        f"CPU's by {measured['parity']['greatest_relative_difference']:.1e} (norm of the "
        "difference over norm of what is scattered)."
    )


_SECTIONS: dict[str, tuple[str, Callable[[Result], str]]] = {
    "accuracy": ("Relative error of structure factors", _accuracy),
    "multislice": ("Multislice", _multislice),
    "kinematic": ("Kinematic", _kinematic),
    "recipes": ("Recipes, end to end", _recipes),
    "growth": ("Growth", _growth),
    "memory": ("Memory", _memory),
    "gpu": ("Batches on the GPU", _gpu),
}


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _spread(values: Result) -> str:
    median, least, greatest = (_number(values[key]) for key in ("median", "min", "max"))
    return f"{median} ({least}–{greatest})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"
