"""Keeps a finished benchmark's results where they can be committed: all but data and weights.

    python benchmarks/keep.py runs/fusion                # to benchmarks/results/suites/fusion-quick
    python benchmarks/keep.py runs/fusion --output DIR --revision "$(git rev-parse HEAD)"

What is kept is what table and page are computed from, so that anyone can compute them again:
`crystalvision.benchmarks.collect(DIR, catalogue)`, `crystalvision report DIR -o page.html`. All
runs together are two files, `runs.jsonl` and `predictions.parquet`. The page is large, so only its
main figures are kept.
"""

import argparse
import base64
import json
import re
import shutil
import tempfile
from pathlib import Path

from crystalvision.benchmarks import BenchmarkFolder, is_benchmark, keep_runs
from crystalvision.benchmarks.report import read_rows
from crystalvision.errors import InputError

RESULTS = Path(__file__).parent / "results" / "suites"
KEPT = (
    "suite.yaml",
    "environment.json",
    "published.*",
    "pictures.png",
    "results.*",
    "datasets/*.csv",
    "bounds/*.json",
    "failures/*.json",
)
_MAIN_FIGURES = re.compile(
    r'<div class="figures wide">\s*<figure>\s*<img src="data:image/svg\+xml;base64,([^"]+)"'
)


def main() -> None:
    """Copy, and say how much it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="what `crystalvision benchmark -o` wrote")
    parser.add_argument("--output", type=Path, help="by default results/suites/SUITE-BUDGET")
    parser.add_argument(
        "--revision", default="", help="the commit that was installed, where it does not say so"
    )
    options = parser.parse_args()
    try:
        output = keep(options.folder, options.output, options.revision)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    print(f"{output}: {size / 1e6:.1f} MB")


def keep(folder: Path, output: Path | None = None, revision: str = "") -> Path:
    """Copy what is to be kept of a benchmark.

    Args:
        folder: The benchmark.
        output: Where to; an earlier copy there is replaced.
        revision: The commit that was installed; a program that was installed by pip does not know.

    Returns:
        Where it is now.

    Raises:
        InputError: It is no benchmark that has ended, or something else is in the way.
    """
    suite = BenchmarkFolder(folder).read_suite()
    if not (folder / "report.html").is_file():
        raise InputError(f"{folder} has no report.html: end the benchmark with --resume first")
    output = output or RESULTS / f"{suite.name}-{suite.budget}"
    if output.exists() and not _is_copy(output):
        raise InputError(f"{output} exists and is no copy of a benchmark; choose another --output")
    with tempfile.TemporaryDirectory(dir=_existing_parent(output)) as temporary:
        copy = Path(temporary) / output.name
        _copy(folder, copy, revision)
        if output.exists():
            shutil.rmtree(output)
        output.parent.mkdir(parents=True, exist_ok=True)
        copy.rename(output)
    return output


def _is_copy(folder: Path) -> bool:
    was_run_there = (folder / "benchmark.lock").exists()
    return is_benchmark(folder) and (folder / "results.csv").is_file() and not was_run_there


def _copy(folder: Path, copy: Path, revision: str) -> None:
    for pattern in KEPT:
        for path in sorted(folder.glob(pattern)):
            kept = copy / path.relative_to(folder)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
    keep_runs(folder, read_rows(folder / "results.csv"), copy)
    environment = copy / "environment.json"
    environment_facts = json.loads(environment.read_text(encoding="utf-8"))
    environment_facts["git_revision"] = environment_facts["git_revision"] or revision
    environment.write_text(
        json.dumps(environment_facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = (folder / "report.html").read_text(encoding="utf-8")
    (copy / "figures").mkdir()
    for number, figure in enumerate(_MAIN_FIGURES.findall(page), start=1):
        (copy / "figures" / f"{number}.svg").write_bytes(base64.b64decode(figure))


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.absolute().parents if parent.is_dir())


if __name__ == "__main__":
    main()
