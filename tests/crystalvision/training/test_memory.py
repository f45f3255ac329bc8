"""Batches that do not fit into memory, early ends, and branches that rest."""

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision.models import SystemConfig, build_system
from crystalvision.training import Machine, fit, in_batches_that_fit, seeded
from crystalvision.training._checkpoint import Silent
from crystalvision.training._memory import MicroBatches
from crystalvision.training._processes import Share


class Notes(Silent):
    """Remembers what it is told."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def make_plain(make_experiment, catalogue, targets):
    """A system whose final head has no batch statistics: parts of a batch give what it gives."""

    def make():
        described = {**make_experiment()["system"], "head": "softmax"}
        with seeded(0):
            return build_system(
                SystemConfig.model_validate(described),
                catalogue,
                in_channels=1,
                targets=targets,
                grid=(32, 32),
            )

    return make


@pytest.fixture
def fusion_phase(make_phase):
    return make_phase("fusion", "head", name="fusion", optimiser={"name": "sgd", "momentum": 0.9})


def narrow(system, most, monkeypatch):
    """Let the fusion run out of memory with more than `most` patterns to learn from at once."""
    forward = type(system.fusion).forward

    def limited(self, features, outputs):
        if torch.is_grad_enabled() and len(next(iter(features.values()))) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, features, outputs)

    monkeypatch.setattr(type(system.fusion), "forward", limited)


@pytest.mark.parametrize(("most", "parts"), [(8, 2), (5, 4)])
def test_a_batch_that_does_not_fit_is_computed_in_parts(
    make_plain, fusion_phase, patterns, monkeypatch, most, parts
):
    whole, split, listener = make_plain(), make_plain(), Notes()
    expected = fit(whole, [fusion_phase], *patterns)
    narrow(split, most, monkeypatch)
    found = fit(split, [fusion_phase], *patterns, listener=listener)
    assert listener.notes[-1].startswith("out of memory with ")
    assert f"each batch of 16 is now computed in {parts} parts" in listener.notes[-1]
    for one, other in zip(expected.epochs, found.epochs, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=1e-5)
    for key, value in whole.state_dict().items():
        assert torch.allclose(value, split.state_dict()[key], rtol=1e-4, atol=1e-6), key


def test_accumulating_is_the_same_as_the_whole_batch(make_plain, fusion_phase, patterns):
    whole, split, listener = make_plain(), make_plain(), Notes()
    fit(whole, [fusion_phase], *patterns)
    fit(split, [fusion_phase], *patterns, machine=Machine(accumulate=3), listener=listener)
    assert listener.notes == []
    for key, value in whole.state_dict().items():
        assert torch.allclose(value, split.state_dict()[key], rtol=1e-4, atol=1e-6), key


def test_where_nothing_fits_it_says_what_to_do(make_system, fusion_phase, patterns, monkeypatch):
    system = make_system()
    narrow(system, 1, monkeypatch)
    with pytest.raises(InputError, match=r"out of memory with 2 patterns at once, .*input.bin"):
        fit(system, [fusion_phase], *patterns)


def test_a_phase_that_trains_no_branch_runs_each_backbone_once_a_pattern(
    make_system, make_phase, patterns
):
    system = make_system()
    seen = dict.fromkeys(system.branches, 0)
    for name, branch in system.branches.items():

        def count(_module, inputs, name=name):
            seen[name] += len(inputs[0])

        branch.backbone.register_forward_pre_hook(count)
    fit(system, [make_phase("fusion", "head", name="fusion", epochs=5)], *patterns)
    assert seen == dict.fromkeys(seen, sum(map(len, patterns)))


def test_patience_ends_a_phase_early(make_plain, make_phase, patterns):
    steps = {"name": "steps", "steps": [[3, 0.01], [17, 1e-20]]}  # at last nothing changes
    phase = make_phase("fusion", "head", epochs=20, rate=steps, patience=4, optimiser="sgd")
    record = fit(make_plain(), [phase], *patterns).phases[0]
    assert (record.best_epoch, record.epochs) == (3, 7)


@pytest.mark.parametrize("precision", ["bf16"])
def test_half_the_bits_train_too(make_system, make_phase, patterns, precision):
    system = make_system()
    history = fit(system, [make_phase("classifier")], *patterns, precision=precision)
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss
    assert {value.dtype for value in system.parameters()} == {torch.float32}


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_processes_compute_as_many_parts(size):
    """They wait for each other in each part, so none may have one more."""
    for count in range(1, 33):
        numbers = set()
        for rank in range(size):
            share = Share(rank, size)
            taken = share.of_training(count)
            label = torch.zeros(taken.stop - taken.start, dtype=torch.long)
            parts = []

            def backward(_inputs, targets, _weight, parts=parts):
                parts.append(len(targets["label"]))
                return torch.zeros(())

            MicroBatches(3, grow=False, note=print).run(
                label,
                {"label": label},
                backward,
                lambda: None,
                least=share.least_of_training(count),
            )
            assert min(parts) > 1 or len(label) < 2
            numbers.add(len(parts))
        assert len(numbers) == 1, count


def test_work_is_done_with_as_many_at_once_as_fit():
    asked = []

    def work(batch_size):
        asked.append(batch_size)
        if batch_size > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch_size

    assert in_batches_that_fit(work) == 4
    assert asked == [32, 16, 8, 4]


def test_what_does_not_fit_alone_is_an_error():
    def work(_batch_size):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        in_batches_that_fit(work)
