"""One thing under test, and what all kinds of things share."""

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import nn

from crystalvision.contracts import Target
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, Option
from crystalvision.testing._require import NotMetError, require


class PluginUnderTest:
    """An input, backbone, head or fusion that plugins offer.

    Args:
        kind: "input", "backbone", "head" or "fusion".
        name: Its name, as the catalogue knows it.
        catalogue: Where it is found.
        options: Its options, where the defaults do not suffice.
        targets: What there is for a head to learn, beside a label and a severity.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        catalogue: Catalogue,
        options: Mapping[str, object] | None = None,
        targets: Mapping[str, Target] | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.catalogue = catalogue
        self.options = dict(options or {})
        self.targets = dict(targets or {})
        self._made: dict[tuple[object, ...], Any] = {}

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}'"

    def create(self, options: Mapping[str, object], **context: object) -> Any:
        """Make it with further options, in what the toolkit supplies."""
        entry = self.catalogue.entry(self.kind, self.name)
        return entry.create({**self.options, **options}, context)

    def seeded(self, seed: int, **context: object) -> Any:
        """Make it anew with weights drawn from a seed; the caller's random state stays."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.create({}, **context)

    def copy(self, seed: int, **context: object) -> Any:
        """A copy of what `seeded` makes, which is made but once: large networks take seconds."""
        key = (seed, *(repr(value) for value in context.values()))
        if key not in self._made:
            self._made[key] = self.seeded(seed, **context)
        return copy.deepcopy(self._made[key])

    def forget(self) -> None:
        """Let go of what `copy` keeps."""
        self._made.clear()

    @cached_property
    def offered_options(self) -> list[Option]:
        """The options that the factory tells of."""
        return self.catalogue.entry(self.kind, self.name).options()


def images_of(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normally distributed values."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def counts_of(*shape: int) -> torch.Tensor:
    """Counts as detectors give them: few, many, saturated pixels; the first of several is empty."""
    generator = torch.Generator().manual_seed(0)
    dose = torch.logspace(-1, 4, shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    counts = torch.poisson(dose * torch.rand(*shape, generator=generator), generator=generator)
    counts = torch.where(torch.rand(*shape, generator=generator) > 0.99, 65535.0, counts)
    if shape[0] > 1:
        counts[0] = 0
    return counts


def check_unknown_option(subject: PluginUnderTest, **context: object) -> None:
    """An option that it does not have is refused with a list of those that it has."""
    try:
        subject.create({"wibble": 1}, **context)
    except InputError as error:
        require("wibble" in str(error), f"the refusal of option 'wibble' does not name it: {error}")
        return
    raise NotMetError(
        "it takes an option 'wibble' that it knows nothing of: its factory should name its "
        "parameters, and not take **options"
    )


def check_option_types(subject: PluginUnderTest, **context: object) -> None:
    """An option of the wrong type is refused."""
    for option in subject.offered_options:
        if option.annotation in {Any, object}:
            continue
        try:
            subject.create({option.name: {"not": object()}}, **context)
        except InputError as error:
            require(option.name in str(error), f"the refusal does not name the option: {error}")
        else:
            raise NotMetError(f"its option {option.name} ({option.type_name}) takes any mapping")


def check_gradients(weights: Mapping[str, torch.Tensor], reached: dict[str, float]) -> None:
    """Every weight takes part in the result, with a finite gradient.

    Args:
        weights: By name, after a backward pass.
        reached: The largest gradient so far of each; brought up to date.
    """
    for name, weight in weights.items():
        if weight.grad is None:
            raise NotMetError(
                f"'{name}' takes no part in the result: no gradient reaches it; remove it, or set "
                "requires_grad=False"
            )
        require(weight.grad.isfinite().all(), f"the gradient of '{name}' is not finite")
        reached[name] = max(reached.get(name, 0.0), float(weight.grad.abs().max()))


def trainable(module: nn.Module) -> dict[str, torch.Tensor]:
    """The weights that training changes, by name."""
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


@torch.no_grad()
def disturb(module: nn.Module) -> None:
    """Change every weight and running statistic."""
    for value in module.state_dict().values():
        if value.is_floating_point():
            value.mul_(1.5).add_(0.1)
