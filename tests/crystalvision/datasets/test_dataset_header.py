import pytest
from pydantic import ValidationError

from crystalvision.datasets import Axis, Column


def test_standard_columns_are_always_there(numbered):
    header = numbered.make_header(columns={})
    assert header.columns["label"].dtype == "int64"
    assert header.columns["severity"].dtype == "float32"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "greater than 0"),
        ({"columns": {"images": Column(dtype="uint8")}}, "'images' cannot name a column"),
        ({"columns": {"../x": Column(dtype="uint8")}}, "'../x' cannot name a column"),
        ({"columns": {"label": Column(dtype="uint8")}}, "'label' must be int64, not uint8"),
        ({"class_names": ("a", "a")}, "must differ"),
        ({"class_severities": (0.0,)}, "2 class_names need as many class_severities, not 1"),
        ({"axes": ()}, "axes must have names and sizes"),
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
