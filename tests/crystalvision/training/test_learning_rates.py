"""The learning rate that an optimiser really gets, batch by batch."""

import pytest
import torch
import yaml

from crystalvision.training import Phase
from crystalvision.training._learning_rates import scheduler

BATCHES = 5


def rates(epochs: int, learning_rate: object, losses: list[float] | None = None) -> list[float]:
    """The rate of every batch."""
    phase = Phase.model_validate(
        {
            "name": "p",
            "train": ["a"],
            "epochs": epochs,
            "batch_size": 1,
            "optimiser": "sgd",
            "learning_rate": learning_rate,
        }
    )
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], phase.learning_rate.start)
    made = scheduler(phase.learning_rate, optimiser, epochs=epochs, batches=BATCHES)
    found = []
    for epoch in range(epochs):
        for _ in range(BATCHES):
            found.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            if made and made["interval"] == "step":
                made["scheduler"].step()
        if made and made["interval"] == "epoch":
            made["scheduler"].step(losses[epoch])
    return found


def test_a_number_is_a_constant_rate():
    assert rates(2, 0.1) == [0.1] * 10


def test_steps_hold_each_rate_for_its_epochs():
    found = rates(6, {"name": "steps", "steps": [[3, 0.0015], [2, 0.0002], [1, 0.00001]]})
    expected = [0.0015] * 15 + [0.0002] * 10 + [0.00001] * 5
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_plateau_lowers_the_rate_after_exactly_its_patience():
    plateau = {"name": "plateau", "start": 1.0, "factor": 0.1, "patience": 4}
    # The loss falls once, then four epochs do not bring it lower: the sixth epoch has a tenth.
    found = rates(7, plateau, losses=[2.0, 1.0, 1.0, 1.5, 1.0, 1.2, 1.0])[::BATCHES]
    assert found == pytest.approx([1.0] * 6 + [0.1])


def test_a_plateau_counts_any_fall():
    plateau = {"name": "plateau", "start": 1.0, "patience": 1}
    assert rates(4, plateau, losses=[1.0, 0.99999, 0.99998, 0.99997])[::BATCHES] == [1.0] * 4


def test_one_cycle_rises_to_its_peak_and_falls():
    found = rates(10, {"name": "one-cycle", "peak": 0.5, "warmup": 0.3})
    assert max(found) == pytest.approx(0.5, rel=0.01)
    assert 13 <= found.index(max(found)) <= 16
    assert found[0] == pytest.approx(0.02)
    assert found[-1] < 0.001


def test_cosine_warms_up_and_falls_to_zero():
    found = rates(10, {"name": "cosine", "start": 0.5, "warmup_epochs": 2})
    assert found[0] < 0.001
    assert found[10] == pytest.approx(0.5)
    assert found[10:] == sorted(found[10:], reverse=True)
    assert found[-1] < 0.01


def test_a_rate_without_a_point_is_a_number():
    """YAML takes it for text."""
    assert yaml.safe_load("1e-3") == "1e-3"
    assert rates(1, "1e-3") == [0.001] * 5
    with pytest.raises(ValueError, match="learning_rate"):
        rates(1, "fast")
