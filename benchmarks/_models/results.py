"""Keeps what was measured: one JSON a device, and the table and figure made of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from _models import figure, table
from _models.machine import describe
from _models.settings import Result, Run

_SCHEMA = 1


class Results:
    """The results in one folder for one device."""

    def __init__(self, folder: Path, run: Run) -> None:
        """Read what is there."""
        self._run = run
        self._path = folder / f"{run.device}.json"
        self.document: Result = {"schema": _SCHEMA, "device": run.device, "sections": {}}
        if self._path.exists():
            known = json.loads(self._path.read_text(encoding="utf-8"))
            if known["schema"] == _SCHEMA:
                self.document = known

    def add(self, section: str, measured: Result, took_seconds: float) -> None:
        """Take in a section, and write all at once."""
        self.document["sections"][section] = {
            "settings": self._run.described(),
            "machine": describe(self._run),
            "command": _command(section, self._run),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "took_seconds": round(took_seconds, 1),
            "measured": measured,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write(".json", json.dumps(self.document, indent=1, ensure_ascii=False) + "\n")
        self._write(".md", table.render(self.document))
        figure.draw(self.document, self._path.with_suffix(".png"))

    def _write(self, suffix: str, text: str) -> None:
        temporary = self._path.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self._path.with_suffix(suffix))


def _command(section: str, run: Run) -> str:
    """What measures the section again."""
    words = ["python benchmarks/models.py", f"--only {section}", f"--threads {run.threads}"]
    words += [f"--device {run.device}", f"--batch {run.batch}", f"--rounds {run.rounds}"]
    words += [f"--size {run.size}"] if run.size != 256 else []
    words += [f"--models {','.join(run.models)}"] if run.models else []
    words += [f"--unit {run.unit}"] if run.unit != "densenet121" else []
    return " ".join(words)
