"""Keeps a finished benchmark's results where they can be committed: all but data and weights.

    python benchmarks/keep.py runs/fusion                # to benchmarks/results/suites/fusion-quick
    python benchmarks/keep.py runs/fusion --output DIR

What is kept is what table and page are computed from, run by run, so that anyone can compute them
again: `crystalvision.benchmark.collect(DIR, catalogue)`, `crystalvision report DIR -o page.html`.
The page is large, so only its main figures are kept.
"""

import argparse
import base64
import re
import shutil
from pathlib import Path

from crystalvision.benchmark import Place

RESULTS = Path(__file__).parent / "results" / "suites"
KEPT = (
    "suite.yaml",
    "environment.json",
    "published.json",
    "results.*",
    "datasets/*.csv",
    "bounds/*.json",
    "failures/*.json",
    "runs/*/*/run.yaml",
    "runs/*/*/metrics.csv",
    "runs/*/*/evaluations/*/*",
)
_MAIN_FIGURES = re.compile(
    r'<div class="figures wide">\s*<figure>\s*<img src="data:image/svg\+xml;base64,([^"]+)"'
)


def main() -> None:
    """Copy, and say how much it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="what `crystalvision benchmark -o` wrote")
    parser.add_argument("--output", type=Path, help="by default results/suites/SUITE-BUDGET")
    options = parser.parse_args()
    suite = Place(options.folder).read_suite()
    output = options.output or RESULTS / f"{suite.name}-{suite.budget}"
    if output.exists():
        shutil.rmtree(output)
    size = 0
    for pattern in KEPT:
        for path in sorted(options.folder.glob(pattern)):
            kept = output / path.relative_to(options.folder)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)
            size += kept.stat().st_size
    (output / "figures").mkdir()
    page = (options.folder / "report.html").read_text(encoding="utf-8")
    for number, figure in enumerate(_MAIN_FIGURES.findall(page), start=1):
        kept = output / "figures" / f"{number}.svg"
        kept.write_bytes(base64.b64decode(figure))
        size += kept.stat().st_size
    print(f"{output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
