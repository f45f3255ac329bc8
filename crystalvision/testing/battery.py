"""The checks of each kind of plugin, and how to run them.

Example:
    >>> from crystalvision.plugins import Catalogue
    >>> from crystalvision.testing.battery import run_battery
    >>> run_battery("backbone", "dnsnet-tiny", Catalogue.load())
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from crystalvision.contracts import Target
from crystalvision.errors import CrystalVisionError
from crystalvision.models import count_parameters
from crystalvision.plugins import Catalogue
from crystalvision.testing import _backbones, _fusions, _heads, _inputs
from crystalvision.testing._require import NotMetError, NotTestableError
from crystalvision.testing._subject import PluginUnderTest

__all__ = [
    "CHECKS",
    "Check",
    "NotMetError",
    "NotTestableError",
    "PluginUnderTest",
    "run_battery",
    "subjects",
    "weights_of",
]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a kind of plugin must do.

    Attributes:
        run: Raises `NotMetError` where it is not met; its docstring says what is asked.
        quick_up_to: Weights up to which it takes seconds; `None` where it always does.
    """

    run: Callable[[PluginUnderTest], None]
    quick_up_to: int | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__

    def is_slow(self, weights: int) -> bool:
        """Whether it takes minutes, for a thing of so many weights."""
        return self.quick_up_to is not None and weights > self.quick_up_to


_SMALL = 200_000
"""Weights: exporting or training a larger network took more than five seconds on one core."""

_NONE = -1
"""Seconds each, whatever the size, and there may be many of them."""

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "input": (
        Check(_inputs.gives_what_its_axes_say),
        Check(_inputs.constant_images_stay_finite),
        Check(_inputs.images_do_not_depend_on_each_other),
        Check(_inputs.a_whole_mask_changes_nothing),
        Check(_inputs.what_was_not_seen_stays_hidden),
        Check(_inputs.has_no_weights),
        Check(_inputs.runs_on_a_gpu),
        Check(_inputs.wrong_options_are_refused),
        Check(_inputs.torch_export),
        Check(_inputs.onnx_export),
    ),
    "backbone": (
        Check(_backbones.odd_sizes_and_channels),
        Check(_backbones.honest_stride),
        Check(_backbones.gradients_reach_every_weight),
        Check(_backbones.evaluation_is_repeatable),
        Check(_backbones.state_dict_round_trip),
        Check(_backbones.wrong_options_are_refused),
        Check(_backbones.images_that_do_not_fit_are_refused),
        Check(_backbones.one_image_trains_or_is_refused),
        Check(_backbones.runs_on_a_gpu),
        Check(_backbones.the_seed_makes_the_weights, _SMALL),
        Check(_backbones.autocast, _SMALL),
        Check(_backbones.own_weights_from_a_file, _SMALL),
        Check(_backbones.torch_export, _SMALL),
        Check(_backbones.onnx_export, _SMALL),
        Check(_backbones.overfits_32_patterns, _SMALL),
        Check(_backbones.compiles, _NONE),
    ),
    "head": (
        Check(_heads.outputs_are_one_row_an_image),
        Check(_heads.says_something_of_each_target),
        Check(_heads.gradients_reach_every_weight),
        Check(_heads.the_loss_teaches_what_is_predicted),
        Check(_heads.state_dict_round_trip),
        Check(_heads.one_image_trains_or_is_refused),
        Check(_heads.runs_on_a_gpu),
        Check(_heads.wrong_options_are_refused),
        Check(_heads.autocast),
        Check(_heads.torch_export),
        Check(_heads.onnx_export, _NONE),
        Check(_heads.compiles, _NONE),
    ),
    "fusion": (
        Check(_fusions.honest_width),
        Check(_fusions.every_branch_and_weight_takes_part),
        Check(_fusions.branches_are_named),
        Check(_fusions.state_dict_round_trip),
        Check(_fusions.a_wrong_number_of_branches_is_refused),
        Check(_fusions.runs_on_a_gpu),
        Check(_fusions.wrong_options_are_refused),
        Check(_fusions.autocast),
        Check(_fusions.torch_export),
        Check(_fusions.onnx_export, _NONE),
        Check(_fusions.compiles, _NONE),
    ),
}
"""What is checked of each kind of plugin, the quick checks first."""


def run_battery(
    kind: str,
    name: str,
    catalogue: Catalogue | None = None,
    options: Mapping[str, object] | None = None,
    *,
    targets: Mapping[str, Target] | None = None,
    slow: bool = False,
) -> None:
    """Run every check on one thing.

    Args:
        kind: "input", "backbone", "head" or "fusion".
        name: Its name.
        catalogue: Where it is found; by default what is installed.
        options: Its options, where the defaults do not suffice.
        targets: What there is for a head to learn beside `label`, of five classes, and `severity`.
        slow: Whether to run the checks that take minutes, too.

    Raises:
        NotMetError: The first check that is not met; it names the thing and the check.
    """
    subject = PluginUnderTest(kind, name, catalogue or Catalogue.load(), options, targets)
    weights = weights_of(subject)
    for check in CHECKS[kind]:
        if slow or not check.is_slow(weights):
            try:
                check.run(subject)
            except NotTestableError:
                continue
            except NotMetError as error:
                raise NotMetError(f"{subject}, {check.name}: {error}") from error


def subjects(catalogue: Catalogue, only: tuple[str, ...] = ()) -> Iterator[PluginUnderTest]:
    """Everything that there is to test.

    An entry with an option that must be given is a family, such as timm: its members are tested,
    where they are named.

    Args:
        catalogue: What there is.
        only: Names of distributions, plugins or things to test; by default everything.
    """
    for kind in CHECKS:
        for name in catalogue.names(kind):
            entry = catalogue.entry(kind, name)
            names = {entry.name, entry.qualified_name, entry.plugin.name, entry.plugin.distribution}
            if only and not names & set(only):
                continue
            if not any(option.required for option in entry.options()):
                yield PluginUnderTest(kind, name, catalogue)
        known = set(catalogue.names(kind))
        for name in only:
            if ":" in name and name not in known and catalogue.has(kind, name):
                yield PluginUnderTest(kind, name, catalogue)


def weights_of(subject: PluginUnderTest) -> int:
    """Number of weights, without drawing them where the factory can do without.

    0 for other kinds than backbones, of which no check asks for it. What cannot be made at all
    counts as small, too: a check will say why.
    """
    if subject.kind != "backbone":
        return 0
    for device in ("meta", "cpu"):
        try:
            with torch.device(device), torch.random.fork_rng(devices=[]):
                return count_parameters(subject.create({}, in_channels=1))
        except (CrystalVisionError, RuntimeError, TypeError):  # or no such operation there
            continue
    return 0
