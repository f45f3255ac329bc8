"""Misorientations against scipy, and under the symmetry of crystals."""

import numpy as np
import pytest
import torch
from pymatgen.symmetry.groups import PointGroup
from scipy.spatial.transform import Rotation

from crystalvision.contracts import EvaluatedEstimates, Target, proper_rotations
from crystalvision.errors import InputError
from crystalvision.evaluation import judge_target
from crystalvision_tasks.orientation import Orientation, misorientation_deg

CUBIC = Target(name="orientation", task="orientation", shape=(4,), symmetry="m-3m")


def quaternions(rotations: Rotation) -> np.ndarray:
    return np.roll(rotations.as_quat(), 1, axis=1)


def random(count: int, seed: int) -> Rotation:
    return Rotation.random(count, random_state=np.random.default_rng(seed))


def judged(estimate: Rotation, truth: Rotation, target: Target = CUBIC) -> EvaluatedEstimates:
    own = np.arange(len(truth))
    return EvaluatedEstimates(target, quaternions(truth), quaternions(estimate), None, own)


@pytest.mark.parametrize(
    ("symmetry", "group"),
    [("", "C1"), ("m-3m", "O"), ("m-3", "T"), ("4/mmm", "D4"), ("6/mmm", "D6"), ("-3m", "D3")],
)
def test_it_is_the_smallest_angle_that_scipy_finds(symmetry, group):
    first, second = random(60, 0), random(60, 1)
    equivalent = [second * each for each in Rotation.create_group(group)]
    expected = np.rad2deg(np.min([(first.inv() * each).magnitude() for each in equivalent], axis=0))
    found = misorientation_deg(
        torch.from_numpy(quaternions(first)), torch.from_numpy(quaternions(second)), symmetry
    )
    assert np.allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("symmetry", ["2/m", "mm2", "mmm", "-4", "4mm", "-62m", "622", "-43m"])
def test_equivalent_orientations_are_the_same(symmetry):
    first = random(20, 2)
    group = Rotation.from_quat(np.roll(proper_rotations(symmetry), -1, axis=1))
    for each in group:
        same = torch.from_numpy(-3 * quaternions(first * each))  # sign and length mean nothing
        angle = misorientation_deg(torch.from_numpy(quaternions(first)), same, symmetry)
        assert angle.max() < 1e-5


# pymatgen's operations of hexagonal groups are in axes of the lattice, whose traces are the same.
@pytest.mark.parametrize(
    "symmetry",
    [
        "1",
        "-1",
        "2",
        "m",
        "2/m",
        "222",
        "mm2",
        "mmm",
        "4",
        "-4",
        "4/m",
        "422",
        "4mm",
        "-42m",
        "4/mmm",
        "3",
        "-3",
        "32",
        "3m",
        "-3m",
        "6",
        "-6",
        "6/m",
        "622",
        "6mm",
        "-6m2",
        "6/mmm",
        "23",
        "m-3",
        "432",
        "-43m",
        "m-3m",
    ],
)
def test_every_point_group_has_its_proper_rotations(symmetry):
    operations = [each.rotation_matrix for each in PointGroup(symmetry).symmetry_ops]
    proper = [each for each in operations if np.linalg.det(each) > 0]
    found = Rotation.from_quat(np.roll(proper_rotations(symmetry), -1, axis=1)).as_matrix()
    traces = [np.sort([np.trace(each) for each in group]) for group in (proper, found)]
    assert np.allclose(*traces, atol=1e-9)


def test_metrics_are_those_of_the_angles():
    truth = random(101, 3)
    turned = np.random.default_rng(4).uniform(0, 12, 101)
    axes = np.random.default_rng(5).normal(size=(101, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    estimate = truth * Rotation.from_rotvec(np.deg2rad(turned)[:, None] * axes)
    found = judge_target(
        Orientation(), judged(estimate, truth), source="head", resamples=50, seed=0
    )
    assert found["misorientation_deg"] == pytest.approx(turned.mean())
    for name, share in (("median", 50), ("p95", 95)):
        expected = np.percentile(turned, share, method="inverted_cdf")
        assert found[f"misorientation_{name}_deg"] == pytest.approx(expected)
    assert found["share_within_5_deg"] == pytest.approx((turned < 5).mean())
    for name in found.metrics:
        low, high = found.intervals.of(name)
        assert low < found[name] < high


def test_weights_are_repeated_samples():
    pair = judged(random(40, 6), random(40, 7))
    drawn = np.random.default_rng(0).integers(0, 40, 40)
    weights = np.bincount(drawn, minlength=40)[None].astype(float)
    again = Orientation().metrics(pair.part(drawn))
    for name, value in Orientation().resampled(pair, weights).items():
        assert value[0] == pytest.approx(again[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [({"shape": (3,)}, r"of shape \(4,\)"), ({"symmetry": "m3m!"}, "'m3m!' is no point group")],
)
def test_other_targets_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Orientation().check(CUBIC.model_copy(update=change))
