"""`crystalvision show`: what a user types, what is drawn, and what goes wrong."""

import json
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from crystalvision.cli import main
from crystalvision.datasets import Dataset
from crystalvision.plugins import Catalogue
from crystalvision_simulate.pictures import Choice, draw_figure, find_subject, views_of

RECIPE = "si3n4-four-classes"
CELL = """data_x
_cell_length_a 4.05
_cell_length_b 4.05
_cell_length_c 4.05
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Po1 Po 0 0 0
"""
STRANGER = """
from crystalvision import hookimpl
from crystalvision_simulate.structures.silicon_nitride import beta_silicon_nitride


def wide():
    \"\"\"A strained nitride.\"\"\"
    return beta_silicon_nitride(a_angstrom=7.7)


@hookimpl
def crystalvision_structures():
    return {"wide-nitride": wide}
"""
SMALL_STRUCTURE = (
    "specimen.width_angstrom=40",
    "specimen.aperture_diameter_angstrom=25",
    "specimen.thickness_angstrom=12",
    "instrument.pixels=64",
    "instrument.pixel_size_inv_angstrom=0.04",
)


@pytest.fixture
def small_structure():
    return [word for setting in SMALL_STRUCTURE for word in ("--set", setting)]


@pytest.fixture(scope="module")
def data(tmp_path_factory, small_settings):
    path = tmp_path_factory.mktemp("data") / "data.zarr"
    words = ["simulate", RECIPE, "-o", str(path), *small_settings, "--samples", "12"]
    assert main(words) == 0
    return path


def shown(words, capsys):
    """What a figure says, as JSON."""
    capsys.readouterr()
    assert main(["show", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def error_of(words, capsys, status=2):
    capsys.readouterr()
    assert main(["show", *map(str, words)]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line for line in captured.err.splitlines() if line]
    assert lines[0].startswith("error: ")
    assert "Traceback" not in captured.err
    return " ".join(" ".join(lines).split())


def test_a_recipe_shows_the_first_sample_of_every_class(tmp_path, small_settings, capsys):
    path = tmp_path / "figure.png"
    told = shown([RECIPE, *small_settings, "-o", path, "--dpi", "50"], capsys)
    classes = ["no_defect", "pristine", "random_displacement", "vacancies_25"]
    assert sorted(each["name"].partition(",")[0] for each in told["samples"]) == classes
    assert all(each["labels"] for each in told["samples"])
    with Image.open(path) as image:
        assert image.width > 300


def test_a_sample_and_a_class_can_be_chosen(tmp_path, small_settings, capsys):
    output = ["-o", tmp_path / "figure.png", "--overwrite", "--dpi", "30"]
    told = shown([RECIPE, *small_settings, *output, "--sample", "7", "--sample", "3"], capsys)
    assert [each["sample"] for each in told["samples"]] == [7, 3]
    told = shown([RECIPE, *small_settings, *output, "--class", "vacancies_25"], capsys)
    (sample,) = told["samples"]
    assert sample["columns"]["vacancy_fraction"] == pytest.approx(0.25, abs=0.01)
    assert "vacancy_fraction" in sample["details"]


def test_a_structure_along_any_zone_axis(tmp_path, small_structure, capsys):
    path = tmp_path / "al.svg"
    words = ["aluminium", *small_structure, "-o", path, "--renderer", "kinematic"]
    (sample,) = shown([*words, "--zone-axis", "0,1,1"], capsys)["samples"]
    assert "kinematic" in sample["details"]
    for label in sample["labels"]:
        _, k, third = label["hkl"]
        assert k + third == 0
    assert path.read_bytes().startswith(b"<?xml")


def test_a_crystal_file(tmp_path, small_structure, capsys):
    cif = tmp_path / "polonium.cif"
    cif.write_text(CELL)
    path = tmp_path / "figure.pdf"
    (sample,) = shown([cif, *small_structure, "-o", path], capsys)["samples"]
    assert sample["labels"]
    for label in sample["labels"]:
        length = np.hypot(label["q_x_inv_angstrom"], label["q_y_inv_angstrom"])
        assert length == pytest.approx(np.linalg.norm(label["hkl"]) / 4.05, rel=1e-4)
    assert path.read_bytes().startswith(b"%PDF")


def test_the_same_figure_is_the_same_file(tmp_path, small_structure):
    for suffix in (".png", ".svg", ".pdf"):
        files = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
        for file in files:
            assert main(["show", "copper", *small_structure, "-o", str(file)]) == 0
        assert files[0].read_bytes() == files[1].read_bytes()


def test_the_figure_has_a_name_of_its_own(tmp_path, small_structure, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "copper", *small_structure]) == 0
    assert "written to copper.png" in capsys.readouterr().out
    text = error_of(["copper", *small_structure], capsys)
    assert "copper.png exists; use --overwrite, or another -o" in text
    assert main(["show", "copper", *small_structure, "--overwrite"]) == 0


def test_a_stored_sample_is_made_again_and_compared(data, tmp_path, capsys):
    output = ["-o", tmp_path / "figure.png", "--overwrite", "--dpi", "30"]
    (sample,) = shown([f"{data}[5]", *output], capsys)["samples"]
    assert sample["sample"] == 5
    assert "bit for bit" in sample["note"]
    assert sample["labels"]
    assert len(shown([data, *output], capsys)["samples"]) == 4
    (other,) = shown([data, "--sample", "5", *output], capsys)["samples"]
    assert other == sample
    capsys.readouterr()
    assert main(["show", f"{data}[5]", *map(str, output)]) == 0
    assert "bit for bit" in capsys.readouterr().err


def test_what_is_stored_is_what_is_drawn(data):
    catalogue = Catalogue.load()
    (view,) = views_of(find_subject(f"{data}[5]", catalogue), catalogue, (), Choice())
    assert np.array_equal(view.patterns[-1].image, Dataset.open(data).images([5])[0])
    assert view.patterns[-1].unit == "counts"


def test_another_image_than_the_recipe_makes_is_noticed(data, tmp_path, monkeypatch, capsys):
    images = Dataset.images
    monkeypatch.setattr(Dataset, "images", lambda self, indices: images(self, indices) + 1)
    words = [f"{data}[5]", "-o", tmp_path / "figure.png"]
    (sample,) = shown(words, capsys)["samples"]
    assert "differs from what its recipe makes in 100.00% of pixels" in sample["note"]


def test_a_dataset_whose_recipe_cannot_be_made_is_shown_as_it_is(tmp_path, small_settings, capsys):
    """Its structure comes from a plugin that is not there any more."""
    plugin, path = tmp_path / "wide.py", tmp_path / "data.zarr"
    plugin.write_text(STRANGER)
    words = ["simulate", RECIPE, "-o", str(path), *small_settings, "--samples", "4"]
    assert main([*words, "--set", "structure=wide-nitride", "-p", str(plugin)]) == 0
    output = ["-o", tmp_path / "figure.png", "--overwrite"]
    (sample,) = shown([f"{path}[3]", *output], capsys)["samples"]
    assert "cannot be made again from its recipe" in sample["note"]
    assert "wide-nitride" in sample["note"]
    assert sample["columns"]["thickness_angstrom"] > 0
    (sample,) = shown([f"{path}[3]", *output, "-p", plugin], capsys)["samples"]
    assert "bit for bit" in sample["note"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["alumnium"], "did you mean 'aluminium'?"),
        (["nowhere.zarr"], "nowhere.zarr: no such file or folder"),
        (["nowhere.yaml"], "nowhere.yaml: no such file"),
        ([RECIPE, "--class", "perfect"], "no class is called 'perfect'; classes: no_defect"),
        ([RECIPE, "--sample", "99999"], "sample 99999 is none of this recipe's"),
        ([RECIPE, "--class", "pristine", "--sample", "1"], "exclude each other"),
        ([RECIPE, "-o", "figure.jpg"], "figures are written as .png, .pdf, .svg"),
        ([RECIPE, "--set", "dose=5"], "unknown key 'dose'"),
        (["copper", "--zone-axis", "1,1"], "--zone-axis 1,1: expected three whole numbers"),
        (["copper", "--zone-axis", "0,0,0"], "expected a direction such as"),
        (["copper", "--renderer", "magic"], "no renderer is called 'magic'"),
        (["copper", "--window-angstrom", "0"], "window_angstrom is 0"),
        (["cif"], "path"),
        (["."], ".: not a dataset of crystalvision"),
    ],
)
def test_bad_input_costs_one_line_and_writes_nothing(words, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert text in error_of(words, capsys)
    assert not list(tmp_path.iterdir())


def test_a_datasets_recipe_is_fixed(data, capsys):
    text = error_of([data, "--set", "instrument.dose_electrons=5"], capsys)
    assert "is a dataset, whose recipe is fixed" in text
    assert "no sample 12" in error_of([f"{data}[12]"], capsys)
    assert "expected the index of a sample" in error_of([f"{data}[-1]"], capsys)
    assert "leave out the other choice" in error_of([f"{data}[1]", "--sample", "2"], capsys)


CURVES = """
from crystalvision import hookimpl
from crystalvision.contracts import Axis
from crystalvision.datasets import DatasetHeader, Simulated, label_column
from crystalvision.sources import Sample, Source
import numpy as np


class Steps(Source):
    def __init__(self, spec, catalogue):
        self.recipe = dict(spec.recipe)

    @property
    def header(self):
        return DatasetHeader(
            samples=self.recipe["samples"],
            image_shape=(1, 50),
            dtype="uint16",
            columns={"label": label_column(["low", "high"])},
            axes=(Axis(name="two_theta", size=50, scale=0.5, offset=10.0, units="degree"),),
            provenance=Simulated(source="steps", recipe=self.recipe, seed=self.recipe["seed"]),
            generator={},
            samples_per_shard=4,
        )

    def samples(self, indices):
        for index in indices:
            counts = np.arange(50) * (1 + index % 2) + self.recipe["seed"]
            yield Sample(counts[None].astype(np.uint16), {"label": index % 2})


@hookimpl
def crystalvision_sources():
    return {"steps": Steps}
"""


def test_curves_of_any_source_are_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "steps.py").write_text(CURVES)
    (tmp_path / "steps.yaml").write_text("source: steps\nsamples: 8\nseed: 3\n")
    line = ["-p", "./steps.py"]
    assert main([*line, "show", "steps.yaml", "-o", "recipe.png", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["samples"]
    assert [each["name"] for each in shown] == ["low, sample 0", "high, sample 1"]
    assert main([*line, "simulate", "steps.yaml", "-o", "steps.zarr", "--no-card"]) == 0
    assert main([*line, "show", "steps.zarr[5]", "-o", "stored.svg", "--json"]) == 0
    (sample,) = json.loads(capsys.readouterr().out)["samples"]
    assert sample["name"] == "high, sample 5"
    assert "is what its recipe makes here, bit for bit" in sample["note"]
    with Image.open("recipe.png") as picture:
        width, height = picture.size
    assert width > 1.3 * height
    assert main(["show", "steps.zarr[5]", "-o", "alone.png", "--json"]) == 0
    (sample,) = json.loads(capsys.readouterr().out)["samples"]
    assert "cannot be made again from its recipe: no source is called 'steps'" in sample["note"]


def test_names_go_before_folders_and_may_say_what_they_are(tmp_path, monkeypatch, catalogue):
    monkeypatch.chdir(tmp_path)
    (tmp_path / RECIPE).mkdir()
    assert find_subject(RECIPE, catalogue).kind == "recipe"
    assert find_subject(f"./{RECIPE}", catalogue).kind == "dataset"
    assert find_subject("structure:copper", catalogue).name == "copper"
    assert find_subject("crystalvision:copper", catalogue).kind == "structure"


def test_labels_of_a_pattern_do_not_overlap(catalogue, small_settings):
    overrides = list(small_settings[1::2])
    views = views_of(find_subject(RECIPE, catalogue), catalogue, overrides, Choice())
    figure = draw_figure(views, RECIPE)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    checked = 0
    for axes in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in axes.texts if "$" in text.get_text()]
        frame = axes.get_window_extent(renderer)
        if not axes.images:
            continue
        for place, box in enumerate(boxes):
            checked += 1
            assert not any(box.overlaps(other) for other in boxes[place + 1 :])
            assert frame.x0 <= box.x0
            assert box.x1 <= frame.x1
    assert checked > 10


TWO_ORIGINS = """data_si
_cell_length_a 5.4309
_cell_length_b 5.4309
_cell_length_c 5.4309
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F d -3 m'
_exptl_crystal_density_diffrn 2.33
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si1 0 0 0
"""


def test_what_was_read_of_a_crystal_and_what_was_assumed(tmp_path, small_structure, capsys):
    cif = tmp_path / "si.cif"
    cif.write_text(TWO_ORIGINS)
    words = [cif, *small_structure, "-o", tmp_path / "figure.png", "--dpi", "30", "--overwrite"]
    told = shown(words, capsys)["structure"]
    assert set(told) == {"formula", "atoms", "space_group", "density_g_cm3", "assumed", "varies"}
    assert (told["formula"], told["atoms"]) == ("Si", 8)
    assert told["space_group"] == "Fd-3m (227)"
    assert told["density_g_cm3"] == pytest.approx(2.329, abs=0.001)
    assert told["assumed"][-1].startswith("the setting is F d -3 m:1, which the file does not say")
    assert main(["show", *map(str, words)]) == 0
    text = " ".join(capsys.readouterr().err.split())
    assert "Si, 8 atoms in the cell, Fd-3m (227), 2.33 g/cm³" in text
    assert "assumed: the setting is F d -3 m:1" in text


def test_a_mineral_without_hydrogen_is_shown_where_that_is_said(tmp_path, small_structure, capsys):
    path = tmp_path / "x.cif"
    path.write_text(CELL.replace("loop_", "_chemical_formula_sum 'Po H2'\nloop_"))
    words = [path, "-o", tmp_path / "x.png", *small_structure]
    advice = error_of(words, capsys)
    option = re.search(r"--set (\S+)$", advice)[1]
    told = shown([*words, "--set", option], capsys)["structure"]
    assert (told["formula"], told["atoms"]) == ("Po", 1)
    assert told["assumed"] == ["2 H of the cell have no sites, and are left out"]


def test_every_structure_of_a_recipe_is_told(tmp_path, small_settings, capsys):
    words = [RECIPE, *small_settings, "-o", tmp_path / "figure.png", "--dpi", "30"]
    several = "structure={choice: [aluminium, copper]}"
    told = shown([*words, "--set", several, "--sample", "0", "--sample", "1", "--sample", "2",
                  "--sample", "3", "--sample", "4", "--sample", "5"], capsys)  # fmt: skip
    own = [sample["structure"]["formula"] for sample in told["samples"]]
    assert set(own) == {"Al", "Cu"}
    assert {facts["formula"] for facts in told["structure"]} == {"Al", "Cu"}
    for sample in told["samples"]:
        assert (
            own[told["samples"].index(sample)] == ["Al", "Cu"][int(sample["columns"]["structure"])]
        )
