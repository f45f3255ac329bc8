"""What tests of several packages use."""

import functools
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from crystalvision.testing.shapes import check_shapes

from . import warm_python

check_shapes(
    [
        "crystalvision.inputs",
        "crystalvision.models",
        "crystalvision_augmentation",
        "crystalvision_fusion",
        "crystalvision_heads",
        "crystalvision_inputs",
        *(
            f"crystalvision_simulate.{each}"  # not structures: large files take too long
            for each in (
                "bound",
                "defects",
                "instruments",
                "powder",
                "renderers",
                "scattering",
                "specimens",
            )
        ),
        "crystalvision_tasks",
    ]
)

Stranger = Callable[..., None]


@pytest.fixture(autouse=True, scope="session")
def no_power_cut() -> Iterator[None]:
    """Files need not outlive the machine: to wait for its disk takes a fifth of many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


def pytest_runtest_setup() -> None:
    """What ONNX has for each operation of torch is looked up once, not for each of many exports."""
    registration = sys.modules.get("torch.onnx._internal.exporter._registration")
    if registration is not None:
        registry = registration.ONNXRegistry
        if not hasattr(registry.from_torchlib, "cache_info"):
            registry.from_torchlib = staticmethod(functools.cache(registry.from_torchlib))


_EARLY = {
    name: value for name, value in os.environ.items() if name.startswith(warm_python.READ_EARLY)
}


@pytest.fixture(autouse=True)
def variables_read_early() -> None:
    """Those of the beginning: a cluster of Dask in this process leaves its workers' behind."""
    for name in {name for name in os.environ if name.startswith(warm_python.READ_EARLY)} - {
        *_EARLY
    }:
        del os.environ[name]
    os.environ.update(_EARLY)


@pytest.fixture(scope="session")
def start_python() -> Iterator[Callable[..., Any]]:
    """Starts `python ARGUMENTS...` as `subprocess.Popen` does; see `warm_python.Server.start`."""
    # The server needs Linux to tell of an end, and one thread, which is read early, to be forked.
    if sys.platform != "linux" or os.environ.get("OMP_NUM_THREADS") != "1":
        yield warm_python.start_fresh
        return
    # A short path: the name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory() as folder:
        server = warm_python.Server(Path(folder))
        yield server.start
        server.close()


@pytest.fixture(scope="session")
def run_python(
    start_python: Callable[..., Any],
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs `python ARGUMENTS...` to its end, and takes what it writes."""

    def run(*arguments: object, timeout: float = 600, **options: Any) -> Any:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = start_python([str(each) for each in arguments], **pipes, **options)
        return warm_python.run(process, timeout=timeout)

    return run


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stranger]:
    """Makes a distribution that some stranger might have installed.

    Call it with the distribution's name and the source of each of its modules; every module is an
    entry point, unless `entry_points` says otherwise.
    """
    made: list[str] = []

    def make(
        distribution: str,
        *,
        version: str = "1.0",
        entry_points: dict[str, str] | None = None,
        **modules: str,
    ) -> None:
        folder = tmp_path / "site" / distribution
        information = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        information.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (information / "METADATA").write_text(metadata)
        points = {name: name for name in modules} if entry_points is None else entry_points
        lines = "\n".join(f"{name} = {value}" for name, value in points.items())
        (information / "entry_points.txt").write_text(f"[crystalvision]\n{lines}\n")
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(dedent(source))
        made.extend(modules)
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()

    yield make
    for name in made:
        sys.modules.pop(name, None)
