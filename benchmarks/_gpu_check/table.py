"""What was measured, as Markdown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpu_check import Result


def render(document: "Result") -> str:
    """Every number that is there, by where it stands in the JSON."""
    machine = document["machine"]
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    cuda = f", CUDA {machine['cuda']}" if "cuda" in machine else ""
    where = f"{machine['name']}, {machine['cores']} cores{cuda}; Python {machine['python']}"
    lines = [
        f"# On a {'GPU' if document['device'] == 'cuda' else 'CPU'}",
        "",
        f"{where}, {versions}; {document['finished']}.",
    ]
    if document["tiny"]:
        lines += ["", "Not a full run: it only shows that everything runs."]
    for name, section in document["sections"].items():
        lines += ["", f"## {name}", "", "| what | measured |", "|---|---|"]
        lines += [f"| {', '.join(path)} | {value} |" for path, value in _leaves(section)]
    return "\n".join(lines) + "\n"


def _leaves(value: object, *path: str) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, *path, str(name).replace("_", " "))
    elif isinstance(value, float):
        yield path, f"{value:.3g}"
    else:
        yield path, str(value).partition("\n")[0].replace("|", "\\|")
