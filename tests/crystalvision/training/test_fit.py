"""The loop: what trains, what is frozen, what is kept, and that it repeats."""

import copy

import pytest
import torch

from crystalvision.errors import InputError
from crystalvision.training import Machine, fit
from crystalvision_augmentation.dihedral import Dihedral


@pytest.fixture
def fusion_phase(make_phase):
    return make_phase("fusion", "head", name="fusion", monitor="validation_accuracy")


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[key], other[key]) for key in one)


def test_a_phase_changes_its_parts_and_no_other(make_system, make_phase, patterns):
    system = make_system()
    before = {name: weights(part) for name, part in system.parts().items()}
    fit(system, [make_phase("classifier")], *patterns)
    after = {name: weights(part) for name, part in system.parts().items()}
    assert not same(before["classifier"], after["classifier"])
    assert all(same(before[name], after[name]) for name in ("regressor", "fusion", "head"))


def test_frozen_branches_keep_their_batch_statistics(make_system, fusion_phase, patterns):
    system = make_system()
    before = weights(system.branches)
    history = fit(system, [fusion_phase], *patterns)
    assert same(before, weights(system.branches))
    assert history.epochs[0].scores["label_accuracy"] > 0


def test_fusion_with_a_branch_freezes_only_the_other(make_system, make_phase, patterns):
    system = make_system()
    before = {name: weights(branch) for name, branch in system.branches.items()}
    fit(system, [make_phase("classifier", "fusion", "head")], *patterns, augment=[Dihedral()])
    assert same(before["regressor"], weights(system.branches["regressor"]))
    assert not same(before["classifier"], weights(system.branches["classifier"]))


def test_cached_features_are_those_of_the_images(make_system, fusion_phase, patterns):
    """Training on cached features is exactly training on the images of frozen branches."""
    cached = make_system()
    whole = copy.deepcopy(cached)
    fit(cached, [fusion_phase], *patterns, seed=3)
    from crystalvision.training import _fit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fit, "cache", lambda system, patterns, device, size: patterns.counts)
        fit(whole, [fusion_phase], *patterns, seed=3)
    for key, value in cached.state_dict().items():
        assert torch.allclose(value, whole.state_dict()[key], atol=1e-4), key


def test_the_same_seed_gives_the_same_weights_and_metrics(
    make_system, make_phase, fusion_phase, patterns
):
    def once(seed: int) -> tuple[dict[str, torch.Tensor], list[dict[str, object]]]:
        system = make_system(dropout=0.3)
        phases = [make_phase("classifier"), fusion_phase]
        history = fit(system, phases, *patterns, augment=[Dihedral()], seed=seed)
        return weights(system), [epoch.model_dump(exclude={"seconds"}) for epoch in history.epochs]

    torch.manual_seed(1)
    first = once(5)
    torch.manual_seed(2)  # the caller's state of the generator must not matter
    second = once(5)
    other = once(6)
    assert same(first[0], second[0])
    assert first[1] == second[1]
    assert first[1] != other[1]


def test_the_callers_random_state_is_left_alone(make_system, make_phase, patterns):
    system = make_system()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(system, [make_phase("classifier", epochs=1)], *patterns, augment=[Dihedral()])
    assert torch.equal(torch.rand(3), expected)


def test_how_long_a_phase_runs_does_not_change_the_draws_of_the_next(
    make_system, make_phase, patterns
):
    def regressor(epochs: int) -> dict[str, torch.Tensor]:
        system = make_system()
        phases = [make_phase("classifier", epochs=epochs), make_phase("regressor", epochs=1)]
        fit(system, phases, *patterns, augment=[Dihedral()])
        return weights(system.branches["regressor"])

    assert same(regressor(1), regressor(2))


def test_the_best_epoch_is_kept(make_system, make_phase, patterns):
    """A rate that ruins the weights at the end: those of before must survive."""
    steps = {"name": "steps", "steps": [[14, 0.01], [2, 50.0]]}
    phase = make_phase("classifier", epochs=16, rate=steps, monitor="validation_accuracy")
    system = make_system()
    training, validation = patterns
    history = fit(system, [phase], training, validation)
    values = [epoch.scores["label_accuracy"] for epoch in history.epochs]
    record = history.phases[0]
    assert record.best_value == max(values)
    assert values[record.best_epoch - 1] == max(values)
    assert values[-1] < max(values)
    with torch.no_grad():
        output = system.branches["classifier"](validation.prepare(validation.counts)).outputs
    found = (output.argmax(1) == validation.targets["label"]).float().mean()
    assert float(found) == pytest.approx(max(values))


def test_it_learns(make_system, make_phase, patterns):
    system = make_system()
    phase = make_phase(
        "classifier",
        epochs=20,
        rate={"name": "one-cycle", "peak": 0.02},
        monitor="validation_accuracy",
    )
    history = fit(system, [phase], *patterns)
    assert history.epochs[0].train_loss > 2 * history.epochs[-1].train_loss
    assert history.phases[0].best_value >= 0.9


def test_a_regressor_reports_its_severity_error_and_no_accuracy(make_system, make_phase, patterns):
    history = fit(make_system(), [make_phase("regressor")], *patterns)
    assert list(history.epochs[0].scores) == ["severity_mae"]
    assert history.epochs[0].scores["severity_mae"] > 0


def test_divergence_stops_the_training(make_system, make_phase, patterns):
    phase = make_phase("regressor", epochs=5, rate=1000.0, optimiser="sgd")
    with pytest.raises(InputError, match=r"phase 'regressor' diverged: .* lower its learning_rate"):
        fit(make_system(), [phase], *patterns)


def test_it_is_silent_and_writes_no_files(
    make_system, make_phase, patterns, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    fit(make_system(), [make_phase("classifier", epochs=1)], *patterns)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_is_a_keyboard_interrupt_and_leaves_the_handler_alone(
    make_system, make_phase, patterns
):
    import signal

    class Interrupt:
        def note(self, text):
            pass

        def phase_started(self, name, train, epochs):
            pass

        def epoch_ended(self, record):
            raise KeyboardInterrupt

        def phase_ended(self, record):
            pass

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(make_system(), [make_phase("classifier")], *patterns, listener=Interrupt())
    assert signal.getsignal(signal.SIGINT) is handler


def test_the_system_ends_in_evaluation_mode_with_gradients_allowed(
    make_system, fusion_phase, patterns
):
    system = make_system()
    fit(system, [fusion_phase], *patterns)
    assert not any(module.training for module in system.modules())
    assert all(weight.requires_grad for weight in system.parameters())


def test_l2_on_the_heads_alone(make_system, make_phase):
    from crystalvision.training._optimiser import optimiser

    system = make_system()
    phase = make_phase("classifier", optimiser={"name": "sgd", "head_weight_decay": 0.1})
    groups = optimiser(phase, {"classifier": system.branches["classifier"]}).param_groups
    decays = {id(weight): group["weight_decay"] for group in groups for weight in group["params"]}
    branch = system.branches["classifier"]
    assert {decays[id(weight)] for weight in branch.head.parameters()} == {0.1}
    assert {decays[id(weight)] for weight in branch.backbone.parameters()} == {0.0}


def test_a_phase_without_weights_is_refused(make_system, make_phase, patterns):
    with pytest.raises(InputError, match="phase 'p' trains fusion, without any weights"):
        fit(make_system(), [make_phase("fusion", name="p")], *patterns)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_it_trains_on_a_gpu(make_system, make_phase, fusion_phase, patterns):
    system = make_system()
    phase = make_phase(
        "classifier",
        epochs=20,
        rate={"name": "one-cycle", "peak": 0.02},
        monitor="validation_accuracy",
    )
    phases = [phase, fusion_phase]
    history = fit(system, phases, *patterns, machine=Machine(torch.device("cuda")))
    assert history.phases[0].best_value >= 0.9
    assert {weight.device.type for weight in system.parameters()} == {"cpu"}
