"""How quickly the explorer's bench answers, and whether its memory stays flat, in a real browser.

    python benchmarks/explorer.py -o benchmarks/results/explorer.json
    python benchmarks/explorer.py --times 2 --moves 20        # quick

Each time is the browser's own: from the event of a key or a choice to the second frame after the
page said that the preview, or the sample itself, was drawn. Beside it stand the CPU seconds that
the server and the browser worked for it, which hardly depend on who else works. Needs Chromium and
the extra `test`. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from _explorer.browser import browser, explorer, open_page
from crystalvision.cores import usable_cores

_WARM = 20  # moves before memory is looked at
_LOOKS = 4  # at memory, while a slider moves
# Waits for what follows from the next event: first for anything that is drawn, then for the sample.
_ARM = """() => {
  const find = root => { for (const one of root.querySelectorAll('*')) {
    if (one.matches('p.state')) return one
    const inside = one.shadowRoot && find(one.shadowRoot)
    if (inside) return inside } }
  const root = find(document).getRootNode()
  const before = Number(root.querySelector('p.state').dataset.said)
  let start = null
  const begin = () => { if (start === null) start = performance.now() }
  const options = {capture: true, once: true}
  for (const kind of ['keydown', 'input'])  // a change does not leave its shadow tree
     addEventListener(kind, begin, options)
  window.answered = new Promise(resolve => {
    const found = {}
    let said = false
    const drawn = key => requestAnimationFrame(() => requestAnimationFrame(() => {
      found[key] = performance.now() - start
      if (key === 'exact') resolve(found) }))
    const look = () => {
      const line = root.querySelector('p.state')
      if (line && Number(line.dataset.said) > before && start !== null) {
        const state = line.dataset.state
        if (state === 'error') return resolve({error: line.innerText})
        if (state === 'preview' || state === 'exact') {
          if (!said) drawn('first')
          said = true
          if (state === 'exact') return drawn('exact')
        }
      }
      requestAnimationFrame(look) }
    look() })
}"""
_HEAP = "() => { if (window.gc) gc(); return performance.memory.usedJSHeapSize / 1e6 }"
_CIF = """data_salt_{edge}
_cell_length_a {edge}
_cell_length_b {edge}
_cell_length_c {edge}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""
_POWDER = "powder: begin anew"
_STRUCTURES = ("gold", "silicon", "copper", "iron", "diamond", "aluminium", "nickel", "tungsten")


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    load = os.getloadavg()[0]
    print(f"{usable_cores()} cores, load {load:.2f}", file=sys.stderr)
    with explorer() as (url, pid), browser() as chromium:
        page = open_page(chromium, url)
        works = {"server_cpu": [psutil.Process(pid)], "browser_cpu": _browser_processes(pid)}
        times = _Times(page, options.times, works).all()
        memory = _memory(open_page(chromium, url), psutil.Process(pid), options.moves)
        version = chromium.version
    found = {
        "machine": {
            "cores": usable_cores(),
            "processor": platform.machine(),
            "load_before": round(load, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "chromium": version,
        },
        "seconds": times,
        "memory": memory,
    }
    _print(found)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=10, help="of each interaction")
    parser.add_argument("--moves", type=int, default=200, help="of a slider, for the memory")
    parser.add_argument("-o", "--output", type=Path, help="JSON file to write")
    return parser.parse_args()


def _slider(page: Any, name: str) -> Any:
    """The handle of a slider, by the name before its box."""
    return (
        page.locator(".number").filter(has=page.get_by_text(name, exact=True)).get_by_role("slider")
    )


def _browser_processes(server: int) -> list[psutil.Process]:
    """All that this process started, but for the server and what it started."""
    own = psutil.Process().children(recursive=True)
    served = {server, *(one.pid for one in psutil.Process(server).children(recursive=True))}
    return [one for one in own if one.pid not in served]


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            used = one.cpu_times()
            total += used.user + used.system
    return total


class _Times:
    """Seconds of each interaction, so many times: by the clock, and of work.

    What is worked tells how long it takes where nobody else works.
    """

    def __init__(self, page: Any, times: int, works: dict[str, list[psutil.Process]]) -> None:
        self._page, self._times, self._works = page, times, works

    def all(self) -> dict[str, list[dict[str, float]]]:
        with tempfile.TemporaryDirectory() as folder:
            acts = {
                "degree of a defect": self._key("fraction"),
                "thickness": self._key("thickness [Å]"),
                "mistilt": self._key("mistilt [mrad]"),
                "voltage": self._key("voltage [kV]"),
                "dose": self._key("dose [electrons]"),
                "rotation of the camera": self._key("rotation [°]"),
                "another structure": self._choose("structure", _STRUCTURES),
                "a dropped CIF": self._drop(Path(folder)),
            }
            found = {name: self._measured(act, name) for name, act in acts.items()}
        page = self._page
        page.get_by_text("Renderer", exact=True).click()
        self._choose("renderer", ("powder",))(0)
        page.wait_for_selector("[data-state=exact]")
        page.wait_for_timeout(3000)
        name = "degree of a defect, powder"
        found[name] = self._measured(self._key("fraction"), name)
        page.get_by_label("Begin with", exact=True).select_option(_POWDER)
        page.wait_for_selector('[data-name="phase"]')
        page.wait_for_selector("[data-state=exact]")
        phases = page.get_by_label("phase", exact=True).locator("option").all_inner_texts()[1:-1]
        powders = {
            "strain of the cell, powder recipe": self._key("strain of the cell"),
            "texture, powder recipe": self._key("texture r"),
            "size of the grains, powder recipe": self._key("size [Å]"),
            "background, powder recipe": self._key("background [counts]"),
            "another phase, powder recipe": self._choose("phase", tuple(phases)),
        }
        return found | {name: self._measured(act, name) for name, act in powders.items()}

    def _key(self, name: str) -> Callable[[int], None]:
        handle = _slider(self._page, name)
        return lambda _: handle.press("ArrowRight")

    def _choose(self, label: str, values: tuple[str, ...]) -> Callable[[int], None]:
        choice = self._page.get_by_label(label, exact=True)
        return lambda turn: choice.select_option(values[turn % len(values)])

    def _drop(self, folder: Path) -> Callable[[int], None]:
        def act(turn: int) -> None:
            path = folder / f"salt-{turn}.cif"
            path.write_text(_CIF.format(edge=5.5 + 0.02 * turn))
            self._page.locator("input[type=file]").set_input_files(path)

        return act

    def _measured(self, act: Callable[[int], None], name: str) -> list[dict[str, float]]:
        found = []
        for turn in range(self._times):
            self._page.evaluate(_ARM)
            before = {key: _cpu_seconds(each) for key, each in self._works.items()}
            act(turn)
            took = self._page.evaluate("() => window.answered")
            if "error" in took:
                sys.exit(f"{name}: {took['error']}")
            times = {key: round(took[key] / 1e3, 4) for key in ("first", "exact")}
            for key, each in self._works.items():
                times[key] = round(_cpu_seconds(each) - before[key], 2)
            found.append(times)
        print(f"{name}: {found[-1]}", file=sys.stderr)
        return found


def _memory(page: Any, process: psutil.Process, moves: int) -> list[dict[str, float]]:
    """Memory of the server and of the page's scripts [MB], while a slider moves to and fro."""
    handle, found = _slider(page, "fraction"), []
    at = {_WARM + round(look * moves / _LOOKS) for look in range(_LOOKS + 1)}
    for move in range(_WARM + moves + 1):
        if move in at:
            server = process.memory_info().rss / 1e6
            heap = page.evaluate(_HEAP)
            found.append(
                {"moves": move - _WARM, "server_mb": round(server), "page_mb": round(heap, 1)}
            )
        page.evaluate(_ARM)
        handle.press("ArrowRight" if move // 25 % 2 == 0 else "ArrowLeft")
        page.evaluate("() => window.answered")
    return found


def _print(found: dict[str, Any]) -> None:
    keys = ("first", "exact", "server_cpu", "browser_cpu")
    print(f"{'median (largest) [s]':34}" + "".join(f"{key:>15}" for key in keys))
    for name, times in found["seconds"].items():
        cells = ""
        for key in keys:
            values = [one[key] for one in times]
            cells += f"{f'{statistics.median(values):.2f} ({max(values):.2f})':>15}"
        print(f"{name:34}{cells}")
    for one in found["memory"]:
        print(f"after {one['moves']} moves: server {one['server_mb']} MB, page {one['page_mb']} MB")


if __name__ == "__main__":
    main()
