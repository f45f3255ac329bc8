"""Keeps what was measured: one JSON a device, and the table and figure made of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from _simulation import figure, table
from _simulation.machine import describe
from _simulation.settings import Result, Run

_SCHEMA = 1


class Results:
    """The results in one folder for one device."""

    def __init__(self, folder: Path, run: Run) -> None:
        """Read what is there."""
        self._run = run
        self._folder = folder
        self._path = folder / f"{run.device.type}.json"
        self.document: Result = {"schema": _SCHEMA, "device": run.device.type, "sections": {}}
        if self._path.exists():
            known = json.loads(self._path.read_text(encoding="utf-8"))
            if known["schema"] == _SCHEMA:
                self.document = known

    def has(self, section: str) -> bool:
        """Whether a section is there, measured with these very settings."""
        known = self.document["sections"].get(section)
        return known is not None and known["settings"] == json.loads(
            json.dumps(self._run.described())
        )

    def add(self, section: str, measured: Result, took_seconds: float) -> None:
        """Take in a section, and write the JSON at once."""
        self.document["sections"][section] = {
            "settings": self._run.described(),
            "machine": describe(self._run),
            "command": _command(section, self._run),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "took_seconds": round(took_seconds, 1),
            "measured": measured,
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.document, indent=1, ensure_ascii=False) + "\n"
        temporary = self._path.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self._path)

    def write(self) -> None:
        """Write the table and the figure of all sections that are there."""
        if not self.document["sections"]:
            return
        name = self._path.with_suffix("")
        Path(f"{name}.md").write_text(table.render(self.document), encoding="utf-8")
        figure.draw(self.document, Path(f"{name}.png"))


def _command(section: str, run: Run) -> str:
    """What measures the section again."""
    words = ["python benchmarks/simulation.py", f"--only {section}", f"--threads {run.threads}"]
    words += [f"--{run.size}"] if run.size != "full" else []
    words += [f"--device {run.device.type}"] if run.device.type != "cpu" else []
    words += [f"--seed {run.seed}"] if run.seed else []
    return " ".join(words)
