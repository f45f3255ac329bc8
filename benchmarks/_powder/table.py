"""The results as Markdown."""

from collections.abc import Mapping
from typing import Any

from _powder.ranks import TOP
from _powder.systems import SYSTEMS

Results = Mapping[str, Any]
_ORDER = ("cosine", *SYSTEMS, "better-views")


def table(results: Results) -> str:
    """Everything that is known so far."""
    parts = [_systems(results), _wrong(results), _ties(results), _left_out(results)]
    return "# Measured powder patterns\n\n" + "\n".join(part for part in parts if part)


def _systems(results: Results) -> str:
    known = [name for name in _ORDER if name in results]
    if not known:
        return ""
    some = results[known[0]]
    lines = [
        (
            f"{some['patterns']} measured patterns of single phases, {some['candidates']} "
            "candidates; Wilson intervals at 95 %. Candidates that no instrument tells apart count "
            "as one (below); in brackets, hits if they do not."
        ),
        "",
        "| system | top-1 | top-3 | top-5 | trained on | training |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in known:
        one = results[name]
        cells = [one["title"], *(_share(one, k) for k in TOP), _trained(one), _time(one)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _share(one: Results, k: int) -> str:
    top = one[f"top_{k}"]
    low, high = top["wilson_95"]
    strict = one["without_ties"][f"top_{k}"]["hits"]
    return f"{top['hits']} ({strict}): {top['share']:.1%} [{low:.0%}, {high:.0%}]"


def _trained(one: Results) -> str:
    if "training_patterns" not in one:
        return "–"
    patterns = f"{one['training_patterns']:,}"
    if one.get("epochs") is None:
        return patterns
    planned = one.get("epochs_of_the_plan", one["epochs"])
    of = f" of {planned} epochs" if planned != one["epochs"] else ""
    return f"{patterns} × {one['epochs']}{of}{', all new' if one['new_each_epoch'] else ''}"


def _time(one: Results) -> str:
    if "training_seconds" not in one:
        return "–"
    return f"{one['training_seconds'] / 60:.1f} min, {one['training_cpu_seconds'] / 60:.1f} of CPU"


def _wrong(results: Results) -> str:
    lines = ["## Not in the first place", ""]
    for name in _ORDER:
        if name in results:
            wrong = results[name]["wrong"]
            told = ", ".join(
                f"{pattern} ({one['rank']}: {one['first']})" for pattern, one in wrong.items()
            )
            lines.append(f"- {results[name]['title']}: {told or 'none'}")
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def _ties(results: Results) -> str:
    if "ties" not in results:
        return ""
    known = results["ties"]
    lines = [
        "## Candidates that cannot be told apart",
        "",
        (
            f"Rule: {known['rule']}. {known['candidates_with_ties']} of {known['candidates']} "
            "candidates have such; those of measured phases:"
        ),
        "",
        *(f"- {name}: {', '.join(same)}" for name, same in known["of_measured"].items()),
    ]
    return "\n".join(lines) + "\n"


def _left_out(results: Results) -> str:
    if "ablation" not in results:
        return ""
    known = results["ablation"]
    systems = list(next(iter(known["without"].values())))
    cells = [f"{system}: measured top-1, top-3 | simulated" for system in systems]
    lines = [
        "## Without a nuisance",
        "",
        f"{known['patterns_a_candidate']} patterns of each of {known['candidates']} candidates.",
        "",
        f"| left out | {' | '.join(cells)} |",
        f"| --- |{' --- |' * 2 * len(systems)}",
    ]
    for name, each in known["without"].items():
        row = [name]
        for system in systems:
            one = each[system]
            row += [
                f"{one['top_1']['hits']}, {one['top_3']['hits']}",
                f"{one['simulated_accuracy']:.3f}",
            ]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"
