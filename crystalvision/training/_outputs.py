"""Runs the parts of a system that a phase needs, and reads what their heads say."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from crystalvision.contracts import Head, Prediction, Targets, check_tensor, described, origin_of
from crystalvision.errors import InputError, PluginError
from crystalvision.models import BranchOutput, System, ask_head, ask_prediction
from crystalvision.training._data import Inputs, Patterns
from crystalvision.training._phase import Phase


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """A head whose loss counts, with its raw outputs (b, o)."""

    head: Head
    outputs: torch.Tensor

    def prediction(self) -> Prediction:
        """What the head says."""
        return ask_prediction(self.head, self.outputs)


def head_outputs(system: System, phase: Phase, inputs: Inputs) -> dict[str, HeadOutput]:
    """The heads whose loss counts in a phase; the final one, if it is among them, is the last.

    Args:
        system: The system.
        phase: The phase.
        inputs: Images (b, c, h, w), or features and outputs of each branch from `cache`.
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


def read(heads: Mapping[str, HeadOutput]) -> Prediction:
    """What the heads say together; where several speak of the same, the last one."""
    predictions = [item.prediction() for item in heads.values()]
    told = [item.probabilities for item in predictions if item.probabilities is not None]
    severities = [item.severity for item in predictions if item.severity is not None]
    return Prediction(told[-1] if told else None, severities[-1] if severities else None)


@torch.no_grad()
def told_by_heads(system: System) -> dict[str, Prediction]:
    """What each head speaks of, the final one as "head"; costs no image."""
    readers: dict[str, tuple[Head, int]] = {
        name: (branch.head, branch.backbone.num_features)
        for name, branch in system.branches.items()
    }
    if system.fusion is not None:
        readers["head"] = (_final_head(system), system.fusion.num_features)
    told = {}
    for name, (head, width) in readers.items():
        mode = head.training
        told[name] = ask_prediction(head, ask_head(head.eval(), torch.zeros(2, width)))
        head.train(mode)
    return told


def check_monitor(told: Mapping[str, Prediction], phase: Phase) -> None:
    """Check that a phase's heads tell what its monitor watches.

    Args:
        told: What each head speaks of.
        phase: The phase.

    Raises:
        InputError: They do not.
    """
    heads = [
        name for name in told if name in phase.train or (name == "head" and phase.trains_final)
    ]
    missing = {
        "validation_accuracy": all(told[name].probabilities is None for name in heads)
        and "classes",
        "validation_mae": all(told[name].severity is None for name in heads) and "severity",
        "validation_loss": False,
    }[phase.monitor]
    if missing:
        raise InputError(
            f"phase '{phase.name}' monitors {phase.monitor}, but {', '.join(heads)} "
            f"tells no {missing}; set its monitor to validation_loss"
        )


@torch.no_grad()
def cache(
    system: System, patterns: Patterns, device: torch.device, batch_size: int = 32
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Features (n, f) and raw outputs (n, o) of every branch, in evaluation mode."""
    system.eval().to(device)
    parts: dict[str, list[BranchOutput]] = {name: [] for name in system.branches}
    for raw, _, _ in patterns.batches(batch_size):
        images = patterns.prepare(raw.to(device))
        for name, output in system.branch_outputs(images).items():
            parts[name].append(output)
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
