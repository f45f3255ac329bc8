"""The pytest plugin: its options, and one test for each check of each thing.

pytest loads it wherever CrystalVision is installed, so nothing heavy is imported before a test asks
for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # torch takes seconds to import
    from crystalvision.testing.battery import PluginUnderTest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which plugins are tested."""
    group = parser.getgroup("crystalvision", "the battery of CrystalVision")
    group.addoption(
        "--crystalvision-only",
        action="append",
        default=[],
        metavar="NAME",
        help="test only what this distribution or plugin offers, or what has this name, such as "
        "timm:resnet34; may be given several times",
    )
    group.addoption(
        "--crystalvision-plugin",
        action="append",
        default=[],
        metavar="FILE",
        help="load a single-file plugin, as crystalvision -p does; may be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, for projects that are strict about markers."""
    config.addinivalue_line("markers", "slow: takes minutes, not seconds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each check of each thing for a test that asks for `crystalvision_subject` and its check."""
    if "crystalvision_check" not in metafunc.fixturenames:
        return
    from crystalvision.errors import InputError
    from crystalvision.plugins import Catalogue, PluginSelection
    from crystalvision.testing.battery import CHECKS, subjects, weights_of

    only = tuple(metafunc.config.getoption("--crystalvision-only"))
    files = metafunc.config.getoption("--crystalvision-plugin")
    try:
        catalogue = Catalogue.load(PluginSelection.from_environment(files))
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    cases = []
    for subject in subjects(catalogue, only):
        weights = weights_of(subject)
        for check in CHECKS[subject.kind]:
            marks = [pytest.mark.slow] if check.is_slow(weights) else []
            name = f"{subject.kind}-{subject.name}-{check.name}"
            cases.append(pytest.param(subject, check, id=name, marks=marks))
    if only and not cases:
        raise pytest.UsageError(
            f"--crystalvision-only {' '.join(only)}: no {', '.join(CHECKS)} of that name or "
            "distribution; see crystalvision plugins"
        )
    metafunc.parametrize(
        ("crystalvision_subject", "crystalvision_check"),
        cases,
        indirect=["crystalvision_subject"],
        scope="module",
    )


@pytest.fixture(scope="module")
def crystalvision_subject(request: pytest.FixtureRequest) -> "Iterator[PluginUnderTest]":
    """One thing after the other, so that the networks of few are kept."""
    subject: PluginUnderTest = request.param
    yield subject
    subject.forget()
