"""Runs the parts of a system that a phase needs, and reads what their heads say."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from crystalvision.contracts import Estimate, Head, Targets, check_tensor, described, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.models import BranchOutput, System, ask_estimates
from crystalvision.training._data import Inputs, Patterns
from crystalvision.training._phase import Phase


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """A head whose loss counts, with its raw outputs (b, o), or (b, o, *m)."""

    head: Head
    outputs: torch.Tensor


def head_outputs(system: System, phase: Phase, inputs: Inputs) -> dict[str, HeadOutput]:
    """The heads whose loss counts in a phase; the final one, if it is among them, is the last.

    Args:
        system: The system.
        phase: The phase.
        inputs: Images (b, c, *grid), or features and outputs of each branch from `cache`.
    """
    trained = [name for name in system.branches if name in phase.train]
    branches: dict[str, BranchOutput] = {}
    for name in system.branches if phase.trains_final else trained:
        if isinstance(inputs, Mapping):
            branches[name] = BranchOutput(*inputs[name])
        else:
            with torch.set_grad_enabled(torch.is_grad_enabled() and name in trained):
                branches[name] = system.branches[name](inputs)
    found = {
        name: HeadOutput(system.branches[name].head, branches[name].outputs) for name in trained
    }
    if phase.trains_final:
        found["head"] = HeadOutput(_final_head(system), system.join(branches))
    return found


def total_loss(heads: Mapping[str, HeadOutput], targets: Targets) -> torch.Tensor:
    """Sum of the heads' losses."""
    return torch.stack([_loss(item, targets) for item in heads.values()]).sum()


def _loss(item: HeadOutput, targets: Targets) -> torch.Tensor:
    who = f"the {origin_of(item.head, 'head')}, in loss,"
    loss = item.head.loss(item.outputs, targets)
    checked = check_tensor(loss, who, "() with the mean loss", sizes=())
    if checked.device.type != item.outputs.device.type:
        raise PluginError(f"{who} gave {described(loss)}; expected {item.outputs.device.type}")
    return checked


def read(system: System, heads: Mapping[str, HeadOutput]) -> dict[str, Estimate]:
    """What the heads say of each target, by name; where several speak of one, the last."""
    said: dict[str, Estimate] = {}
    for item in heads.values():
        said |= ask_estimates(item.head, item.outputs, system.targets)
    return said


@torch.no_grad()
def cache(
    system: System, patterns: Patterns, device: torch.device, batch_size: int = 32
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Features (n, f) and raw outputs (n, o) of every branch, in evaluation mode.

    Of a head that reads the map, which no fusion asks for, there are no outputs: (n, 0).
    """
    system.eval().to(device)
    parts: dict[str, list[BranchOutput]] = {name: [] for name in system.branches}
    for raw, _ in patterns.batches(batch_size):
        images = patterns.prepare(raw.to(device))
        for name, output in system.branch_outputs(images).items():
            kept = output.outputs
            if system.branches[name].head.reads == "map":
                kept = kept.flatten(1)[:, :0]
            parts[name].append(BranchOutput(output.features, kept))
    return {
        name: (
            torch.cat([item.features for item in items]).cpu(),
            torch.cat([item.outputs for item in items]).cpu(),
        )
        for name, items in parts.items()
    }


def _final_head(system: System) -> Head:
    if system.head is None:
        raise InputError("a phase trains the fusion or the final head, but the system has no head")
    return system.head
