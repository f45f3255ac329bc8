import pytest
from pydantic import ValidationError

from crystalvision.datasets import Axis, Column, DatasetHeader, Seen
from crystalvision.errors import InputError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "greater than 0"),
        ({"columns": {"images": Column(dtype="uint8")}}, "'images' cannot name a column"),
        ({"columns": {"../x": Column(dtype="uint8")}}, "'../x' cannot name a column"),
        ({"columns": {"label": Column(dtype="uint8")}}, "'label' must be int64, not uint8"),
        ({"columns": {"label": Column(dtype="int64")}}, "'label' must name its classes"),
        ({"columns": {"a_crc32": Column(dtype="uint8")}}, "'a_crc32' cannot name a column"),
        ({"columns": {"q_x": Column(dtype="uint8")}}, "'q_x' cannot name an axis, or names"),
        ({"seen": Seen(channels=1, runs="3 60")}, "runs do not add up to the 64 points"),
        ({"seen": Seen(channels=2, each_sample=True)}, "2 channels; expected 1 or 1"),
        ({"axes": ()}, "at least 1"),
        ({"image_shape": (1, 8, 7)}, r"sizes of the axes q_y, q_x, \(c, 8, 8\)"),
        ({"recipe": {"dose": float("nan")}}, "not JSON compliant"),
        ({"recipe": {"path": object()}}, "JSON types only"),
        ({"dtype": "uint8"}, "uint16"),
        ({"typo": 1}, "Extra inputs"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(numbered, changes, message):
    with pytest.raises(ValidationError, match=message):
        numbered.make_header(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"samples": 12},
        {"dtype": "uint32"},
        {"recipe": {"name": "numbered", "dose": 2e4}},
        {"class_names": ("a", "b")},
        {"class_severities": (0.0, 0.8)},
        {"columns": {}},
        {
            "axes": (
                Axis(name="q_y", size=8, scale=0.25, offset=-1.0),
                Axis(name="q_x", size=8, scale=0.25, offset=-1.0),
            )
        },
    ],
)
def test_identity_follows_the_content(numbered, changes):
    assert numbered.make_header(**changes).identity != numbered.make_header().identity


def test_identity_ignores_what_leaves_the_content_as_it_is(numbered):
    header = numbered.make_header()
    columns = {
        name: column.model_copy(update={"description": "in other words"})
        for name, column in header.columns.items()
    }
    same = numbered.make_header(
        generator={"crystalvision": "9"}, samples_per_shard=5, columns=columns
    )
    reordered = numbered.make_header(recipe=dict(reversed(header.recipe.items())))
    assert same.identity == reordered.identity == header.identity
    assert len(header.identity) == 64


def test_shards_cover_the_samples_once(numbered):
    header = numbered.make_header()
    covered = [index for shard in range(header.shards) for index in header.shard_indices(shard)]
    assert covered == list(range(11))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dtype": "float32", "classes": ("a", "b")}, "whole numbers, not by float32"),
        ({"dtype": "uint8", "classes": ("a", "a")}, "must differ"),
        ({"dtype": "uint8", "classes": tuple(map(str, range(257)))}, "cannot count 257 classes"),
        (
            {"dtype": "int64", "classes": ("a", "b"), "class_severities": (0.0,)},
            "2 classes need as many class_severities, not 1",
        ),
        ({"dtype": "float32", "shape": (4, 0)}, "positive sizes"),
    ],
)
def test_a_column_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Column(**fields)


@pytest.mark.parametrize(
    ("column", "task"),
    [
        (Column(dtype="int64", classes=("a", "b")), "classification"),
        (Column(dtype="uint8", classes=("a", "b"), shape=(8, 8)), "segmentation"),
        (Column(dtype="float64", units="angstrom"), "regression"),
        (Column(dtype="float32", shape=(3,)), "regression"),
        (Column(dtype="float32", shape=(4,), task="orientation", symmetry="m-3m"), "orientation"),
        (Column(dtype="int32", task="counting"), "counting"),
    ],
)
def test_a_target_follows_from_its_column(numbered, column, task):
    header = numbered.make_header(columns={"wanted": column})
    target = header.target("wanted")
    assert header.targets["wanted"] == target
    assert (target.name, target.task, target.shape) == ("wanted", task, column.shape)
    assert (target.classes, target.units, target.symmetry) == (
        column.classes,
        column.units,
        column.symmetry,
    )


def test_what_cannot_be_learnt_is_no_target(numbered):
    header = numbered.make_header()
    assert list(header.targets) == ["label", "severity", "thickness_angstrom"]
    with pytest.raises(InputError, match="'configurations' holds int32 that count no classes"):
        header.target("configurations")
    with pytest.raises(InputError, match="no target 'nothing': expected a column, label"):
        header.target("nothing")


def test_a_dataset_may_have_neither_classes_nor_severities(numbered):
    header = DatasetHeader(**{**numbered.make_header().model_dump(), "columns": {}})
    assert header.targets == {}
    assert header.class_names == header.class_severities == ()
