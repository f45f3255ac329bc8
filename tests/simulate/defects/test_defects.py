"""Every defect does what it measures, and refuses what makes no sense."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from crystalvision.errors import InputError
from crystalvision_simulate.defects._neighbours import closest_pair_angstrom
from crystalvision_simulate.defects.displacement import RandomDisplacement
from crystalvision_simulate.defects.interstitial import Interstitial
from crystalvision_simulate.defects.substitution import Substitution
from crystalvision_simulate.defects.vacancy import Vacancy
from crystalvision_simulate.defects.vibration import ThermalVibration, debye_rms_angstrom
from crystalvision_simulate.specimens import SlabCutter
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride

SLAB = SlabCutter(beta_silicon_nitride(), width_angstrom=30).cut(30)


@pytest.mark.parametrize("fraction", [0.0, 0.004, 0.25, 0.9])
def test_vacancies_remove_the_number_that_they_measure(fraction):
    result = Vacancy(fraction).apply(SLAB, np.random.default_rng(0))
    removed = len(SLAB) - len(result.crystal)
    assert result.degree == {"vacancy_fraction": removed / len(SLAB)}
    assert abs(removed - fraction * len(SLAB)) < 1
    kept = {tuple(row) for row in SLAB.positions}
    assert all(tuple(row) in kept for row in result.crystal.positions)


def test_vacancies_of_one_element_leave_the_other():
    result = Vacancy(0.5, element="N").apply(SLAB, np.random.default_rng(0))
    before, after = (np.bincount(c.numbers, minlength=15) for c in (SLAB, result.crystal))
    assert after[14] == before[14]
    assert after[7] == pytest.approx(before[7] / 2, abs=1)


def test_the_mean_number_of_vacancies_is_exact_even_below_one():
    rng = np.random.default_rng(0)
    few = Vacancy(0.3 / len(SLAB))
    removed = [len(SLAB) - len(few.apply(SLAB, rng).crystal) for _ in range(400)]
    assert set(removed) == {0, 1}
    assert np.mean(removed) == pytest.approx(0.3, abs=0.09)


@pytest.mark.parametrize("distribution", ["gaussian", "uniform"])
def test_displacements_have_the_size_that_they_measure(distribution):
    defect = RandomDisplacement(0.08, distribution=distribution)
    result = defect.apply(SLAB, np.random.default_rng(0))
    shifts = result.crystal.positions - SLAB.positions
    assert result.degree["displacement_rms_angstrom"] == pytest.approx(shifts.std(), rel=0.01)
    assert shifts.std() == pytest.approx(0.08, rel=0.03)
    if distribution == "uniform":
        assert abs(shifts).max() <= 0.08 * np.sqrt(3)


def test_relative_displacements_scale_with_the_bond():
    result = RandomDisplacement(sigma_relative=0.05).apply(SLAB, np.random.default_rng(0))
    assert result.degree["displacement_rms_angstrom"] == pytest.approx(0.05 * 1.729, rel=0.03)


def test_atoms_are_not_pushed_into_each_other():
    with pytest.raises(InputError, match=r"a sigma of 0\.6 Å brings two atoms within .* Å"):
        RandomDisplacement(0.6).apply(SLAB, np.random.default_rng(0))
    RandomDisplacement(0.6, smallest_distance_fraction=0.0).apply(SLAB, np.random.default_rng(0))


def test_thermal_motion_has_the_size_of_the_debye_model():
    """⟨u²⟩ of 0.048 and 0.065 Å at 300 K, Θ ≈ 950 K, within the 5 % that elements differ by."""
    assert debye_rms_angstrom(28.085, 300, 950) == pytest.approx(0.048, rel=0.05)
    assert debye_rms_angstrom(14.007, 300, 950) == pytest.approx(0.065, rel=0.05)
    result = ThermalVibration().apply(SLAB, np.random.default_rng(0))
    shifts = result.crystal.positions - SLAB.positions
    for number, expected in ((14, 0.0465), (7, 0.0658)):
        assert shifts[SLAB.numbers == number].std() == pytest.approx(expected, rel=0.03)


def test_debye_model_in_its_limits():
    """Zero-point motion at 0 K, 3ħ²T/(mkΘ²) far above the Debye temperature."""
    zero = debye_rms_angstrom(28.085, 0, 950)
    assert zero**2 == pytest.approx(
        3 * 1.0545718e-34**2 / (4 * 28.085 * 1.66053907e-27 * 1.380649e-23 * 950) * 1e20, rel=1e-6
    )
    hot = debye_rms_angstrom(28.085, 50000, 950)
    hotter = debye_rms_angstrom(28.085, 100000, 950)
    assert hotter**2 / hot**2 == pytest.approx(2, rel=1e-3)


def test_given_b_factors_are_used():
    defect = ThermalVibration(b_iso_angstrom2={"Si": 0.18, "N": 0.33})
    assert defect.rms_angstrom(np.array([14, 7])) == pytest.approx([0.0477, 0.0646], abs=1e-4)
    with pytest.raises(InputError, match="b_iso_angstrom2 has no value for N; it has Si"):
        ThermalVibration(b_iso_angstrom2={"Si": 0.2}).apply(SLAB, np.random.default_rng(0))


@pytest.mark.parametrize(
    "make", [lambda: Vacancy(0.1), lambda: RandomDisplacement(0.05), ThermalVibration]
)
def test_defects_are_repeatable_and_leave_the_crystal_as_it_was(make):
    before = SLAB.positions.copy()
    first, second = (make().apply(SLAB, np.random.default_rng(5)).crystal for _ in range(2))
    assert np.array_equal(first.positions, second.positions)
    other = make().apply(SLAB, np.random.default_rng(6)).crystal
    assert first.positions.shape != other.positions.shape or not np.array_equal(
        first.positions, other.positions
    )
    assert np.array_equal(SLAB.positions, before)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Vacancy(1.2), r"fraction is 1\.2; expected a fraction from 0 to 1"),
        (lambda: Vacancy(float("nan")), "fraction is nan; expected a fraction"),
        (lambda: Vacancy(0.1, element="Xx"), "element is 'Xx'; expected a chemical symbol"),
        (lambda: RandomDisplacement(-0.1), r"sigma_angstrom is -0\.1; expected a number"),
        (lambda: ThermalVibration(-5), "temperature_kelvin is -5; expected a number"),
        (lambda: ThermalVibration(300, 0), "debye_temperature_kelvin is 0; expected more than 0"),
    ],
)
def test_unphysical_numbers_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_vacancies_that_leave_nothing_or_find_nothing_are_refused():
    with pytest.raises(InputError, match="leaves no atom in the crystal"):
        Vacancy(1.0).apply(SLAB, np.random.default_rng(0))
    with pytest.raises(InputError, match="the crystal has no O atoms to remove"):
        Vacancy(0.5, element="O").apply(SLAB, np.random.default_rng(0))


def test_one_unlucky_pair_is_drawn_anew():
    """In a large crystal some pair would often be too near; the dataset must not end there."""
    defect = RandomDisplacement(0.13, smallest_distance_fraction=0.62)
    rng = np.random.default_rng(0)
    for _ in range(5):
        crystal = defect.apply(SLAB, rng).crystal
        box = np.diag(SLAB.cell) * [1, 1, 0]
        where = np.where(box > 0, np.mod(crystal.positions, np.where(box > 0, box, 1)), 0)
        where[:, 2] = crystal.positions[:, 2]
        nearest = cKDTree(where, boxsize=box).query(where, k=2)[0][:, 1].min()
        assert nearest >= 0.62 * 1.7289


def test_neither_or_both_sigmas_are_refused():
    with pytest.raises(InputError, match="expected one of them"):
        RandomDisplacement()
    with pytest.raises(InputError, match="expected one of them"):
        RandomDisplacement(0.1, sigma_relative=0.1)


def combined(defect, first, second):
    """The degree of two defects of a kind, as the first thing that the kind measures combines."""
    measure = defect.measures[0]
    return measure.combine(first.degree[measure.name], second.degree[measure.name])


def test_degrees_of_two_defects_combine_as_they_would_be_measured():
    rng = np.random.default_rng(0)
    first = Vacancy(0.2, element="Si").apply(SLAB, rng)
    second = Vacancy(0.3, element="N").apply(first.crystal, rng)
    found = combined(Vacancy, first, second)
    assert found == pytest.approx(1 - len(second.crystal) / len(SLAB))
    assert RandomDisplacement.measures[0].combine(0.03, 0.04) == pytest.approx(0.05)
    first = Substitution(0.2, "C", "Si").apply(SLAB, rng)
    second = Substitution(0.3, "O", "N").apply(first.crystal, rng)
    replaced = np.isin(second.crystal.numbers, (6, 8)).mean()
    assert combined(Substitution, first, second) == pytest.approx(replaced)
    first = Interstitial(0.02, "H").apply(SLAB, rng)
    second = Interstitial(0.03, "He").apply(first.crystal, rng)
    found = combined(Interstitial, first, second)
    assert found == pytest.approx(len(second.crystal) / len(SLAB) - 1)


def test_displacements_after_interstitials_see_them():
    """They have nearer neighbours than the lattice: no pair may be taken to be as far apart."""
    crystal = Interstitial(0.1, "C", smallest_distance_fraction=0.3).apply(
        SLAB, np.random.default_rng(0)
    )
    defect = RandomDisplacement(0.1, smallest_distance_fraction=0.55)
    moved = defect.apply(crystal.crystal, np.random.default_rng(0)).crystal
    assert (
        cKDTree(moved.positions).query(moved.positions, k=2)[0].max(axis=1).min() >= 0.55 * 1.7289
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_closest_pair_is_that_of_a_search_through_all(seed):
    rng = np.random.default_rng(seed)
    box = rng.uniform(5, 15, 3)
    lengths = np.where(rng.random(3) < 0.6, box, 0)
    atoms = rng.uniform(-3, 18, (rng.integers(2, 300), 3))
    limit = rng.uniform(0.05, 2.4)
    apart = atoms[:, None] - atoms
    apart -= np.where(lengths > 0, np.rint(apart / np.where(lengths > 0, lengths, 1)), 0) * lengths
    shortest = (np.linalg.norm(apart, axis=-1) + 99 * np.eye(len(atoms))).min()
    found = closest_pair_angstrom(atoms, lengths, limit)
    assert found == pytest.approx(shortest if shortest < limit else np.inf)
