"""What a card says, what it keeps, and what it leaves alone."""

import re
import shutil

import numpy as np
import pytest
import yaml

from crystalvision.cards import refresh_card, write_card
from crystalvision.datasets import Dataset, DatasetWriter, Simulated, SplitSettings, verify
from crystalvision.errors import InputError, StorageError

FILES = ("card.png", "croissant.json", "README.md")
RECIPE = {"name": "salt", "description": "Salt, seen from above.", "fence": "```"}

IMPORTED = {"kind": "imported", "name": "mine", "files": 1, "content_sha256": "5" * 64}


def text_of(path):
    return (path / "README.md").read_text(encoding="utf-8")


def front_matter(path):
    return yaml.safe_load(text_of(path).split("---\n")[1])


def table(text, head):
    """Rows of the table whose first column is called `head`, by their first cell."""
    lines = text[text.index(f"| {head} |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_a_card_is_three_files_that_verify_knows(salt):
    card = write_card(salt)
    assert card.files == FILES
    assert all((salt / name).stat().st_size > 500 for name in FILES)
    assert verify(salt) == []
    assert not list(salt.glob("*.partial"))


def test_numbers_of_the_card_are_those_of_the_data(salt):
    write_card(salt)
    text = text_of(salt)
    dataset = Dataset.open(salt)
    classes = table(text, "class")
    labels = dataset.column("label")
    for label, name in enumerate(dataset.header.class_names):
        counts = [
            (labels[dataset.split(part)] == label).sum() for part in ("train", "validation", "test")
        ]
        assert classes[name] == [f"{0.9 * label:g}", *map(str, counts), str(sum(counts))]
    columns = table(text, "column")
    assert columns["`thickness_angstrom`"] == [
        "Å",
        "50",
        "69.5",
        "89",
        "regression",
        "along the beam",
    ]
    assert columns["`label`"] == ["–", "0", "–", "1", "classification", "index of the class"]
    assert columns["`unknown`"][1:4] == ["–", "–", "–"]
    dose = dataset.column("dose_electrons")
    assert columns["`dose_electrons`"][:2] == ["electrons", f"{dose.min():.4g}"]
    assert list(columns) == [f"`{name}`" for name in dataset.header.columns]
    axes = table(text, "axis")
    assert axes["`q_y`"] == ["16", "0.05 1/Å", "-0.4 1/Å", "0.35 1/Å"]
    assert axes["`q_x`"] == ["24", "0.04 1/Å", "-0.48 1/Å", "0.44 1/Å"]
    assert dataset.identity in text


def test_cells_neither_break_tables_nor_hold_html(salt):
    write_card(salt)
    assert table(text_of(salt), "column")["`bent`"][-1] == r"&lt;b&gt;yes \| no&lt;/b&gt;"


def test_front_matter_is_that_of_the_hugging_face_hub(salt):
    write_card(salt, licence="cc-by-4.0")
    keys = front_matter(salt)
    assert keys["license"] == "cc-by-4.0"
    assert keys["pretty_name"] == "salt"
    assert keys["size_categories"] == ["n<1K"]
    assert keys["task_categories"] == ["image-classification"]
    assert keys["viewer"] is False
    assert {"diffraction", "zarr"} <= set(keys["tags"])


@pytest.mark.parametrize("folder", ["salt.zarr", 'odd "name".zarr'])
def test_every_way_to_load_it_works(make, tmp_path, monkeypatch, folder):
    path = make(tmp_path / folder)
    write_card(path)
    monkeypatch.chdir(path)
    blocks = re.findall(r"```python\n(.*?)```", text_of(path), flags=re.DOTALL)
    assert len(blocks) == 3
    dataset = Dataset.open(path)
    found = [{} for _ in blocks]
    for block, names in zip(blocks, found, strict=True):
        exec(block, names)
    ours, xarrays, zarrs = found
    train, test = dataset.split("train"), dataset.split("test")
    assert np.array_equal(ours["images"], dataset.images(train))
    assert np.array_equal(ours["labels"], dataset.column("label")[train])
    assert np.array_equal(xarrays["test"].images.values, dataset.images(test))
    assert xarrays["data"].q_y.values[0] == pytest.approx(-0.4)
    assert np.array_equal(zarrs["image"], dataset.images([0])[0])


def test_the_card_does_not_depend_on_the_folders_name(make, tmp_path):
    paths = [make(tmp_path / name) for name in ("one.zarr", "two.zarr")]
    for path in paths:
        write_card(path)
    first, second = (
        {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}
        for path in paths
    )
    assert first == second


def test_the_recipe_stands_in_the_card_whatever_it_holds(make, tmp_path):
    path = make(tmp_path / "d.zarr", recipe=RECIPE)
    write_card(path)
    text = text_of(path)
    assert yaml.safe_load(re.search(r"````yaml\n(.*?)````", text, flags=re.DOTALL)[1]) == RECIPE
    assert "\nSalt, seen from above.\n" in text


def test_simulated_data_say_so_and_what_their_source_warns_of(make, tmp_path):
    simulated = make(
        tmp_path / "s.zarr",
        synthetic=True,
        provenance=Simulated(source="simulation", seed=0, recipe=RECIPE),
        caveats=("Simulated; none was measured.", "No drift."),
    )
    imported = make(tmp_path / "i.zarr", provenance=IMPORTED)
    for path in (simulated, imported):
        write_card(path)
    assert "## Limits\n\n- Simulated; none was measured.\n- No drift.\n" in text_of(simulated)
    assert "crystalvision simulate recipe.yaml -o again.zarr" in text_of(simulated)
    assert "synthetic" in front_matter(simulated)["tags"]
    other = text_of(imported)
    assert "## Limits" not in other
    assert "simulat" not in other
    assert "synthetic" not in front_matter(imported)["tags"]
    assert "Imported from a folder" in other


def test_the_same_card_is_the_same_byte_by_byte(salt, tmp_path):
    write_card(salt, licence="MIT", creators=["Ada Lovelace"])
    before = {name: (salt / name).read_bytes() for name in FILES}
    write_card(salt)
    copy = tmp_path / "copy" / "salt.zarr"
    shutil.copytree(salt, copy, ignore=shutil.ignore_patterns(*FILES))
    write_card(copy, licence="MIT", creators=["Ada Lovelace"])
    for name, content in before.items():
        assert (salt / name).read_bytes() == content, name
        assert (copy / name).read_bytes() == content, name


def test_facts_notes_and_keys_added_by_hand_are_kept(salt):
    facts = {
        "licence": "ODbL-1.0",
        "creators": ("Ada Lovelace", "Grace Hopper"),
        "organisations": ("Institute of Salt",),
        "description": "Salt: a test.\n\nIn two parts.",
        "citation": "@misc{salt}",
        "published": "2026-05-31",
        "url": "https://example.org/salt",
    }
    stated = write_card(salt, **facts).facts
    file = salt / "README.md"
    changed = text_of(salt).replace("\n- zarr\n", "\n- zarr\n- my-tag\n")
    changed = changed.replace("viewer: false", "viewer: false\nlanguage: en")
    file.write_text(changed + "\nMy own words, *kept*.\n", encoding="utf-8")
    again = write_card(salt)
    assert again.facts == stated
    text = text_of(salt)
    assert text.endswith("\nMy own words, *kept*.\n")
    assert text.count("My own words") == 1
    keys = front_matter(salt)
    assert keys["license"] == "odbl"
    assert keys["tags"].count("my-tag") == 1
    assert keys["language"] == "en"
    for told in ("Ada Lovelace, Grace Hopper, Institute of Salt.", "Salt: a test.", "2026-05-31"):
        assert told in text
    assert "not stated" not in text.lower()
    one = write_card(salt, creators=["Emmy Noether"], citation="").facts
    assert one.creators == ("Emmy Noether",)
    assert one.organisations == ("Institute of Salt",)
    assert one.citation == ""
    assert "author = {Emmy Noether and {Institute of Salt}}" in text_of(salt)
    assert "year = {2026}" in text_of(salt)


def test_what_was_said_of_other_data_is_not_said_of_these(make, salt):
    write_card(salt, licence="MIT", creators=["Ada"], description="Old.", published="2026-05-31")
    make(salt, samples=30, mode="overwrite")
    facts = write_card(salt).facts
    assert (facts.licence, facts.creators) == ("MIT", ("Ada",))
    assert (facts.description, facts.published) == ("", None)
    assert "Old." not in text_of(salt)


def test_a_licence_set_on_the_hub_is_kept(salt):
    write_card(salt, licence="MIT")
    file = salt / "README.md"
    file.write_text(text_of(salt).replace("license: mit", "license: cc-by-sa-4.0"))
    assert write_card(salt).facts.licence == "CC-BY-SA-4.0"


def test_what_is_not_stated_is_said_with_the_remedy(salt):
    card = write_card(salt)
    assert card.facts.not_stated == ("licence", "creator", "published")
    text = text_of(salt)
    assert "Not stated." in text
    assert "crystalvision dataset card . --licence CC-BY-4.0" in text
    assert "license" not in front_matter(salt)


def test_a_readme_of_somebody_else_stays(salt):
    file = salt / "README.md"
    file.write_text("mine")
    with pytest.raises(InputError, match="no card of crystalvision"):
        write_card(salt)
    assert file.read_text() == "mine"
    assert not (salt / "card.png").exists()
    assert refresh_card(salt) is False
    assert file.read_text() == "mine"
    write_card(salt, overwrite=True)
    assert "mine" not in text_of(salt)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("viewer: false", "viewer: [", "not YAML"),
        (
            "viewer: false\ncrystalvision:",
            "viewer: false\ncrystalvision: 3\nx:",
            "expected a mapping",
        ),
        ("published: '2026-05-31'", "published: soon", "published='soon': expected a date"),
    ],
)
def test_front_matter_that_was_broken_by_hand_is_refused(salt, old, new, error):
    write_card(salt, published="2026-05-31")
    file = salt / "README.md"
    assert old in text_of(salt)
    file.write_text(text_of(salt).replace(old, new))
    before = file.read_bytes()
    with pytest.raises(InputError, match=re.escape(error)) as raised:
        write_card(salt)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert file.read_bytes() == before


def test_a_card_follows_the_splits(salt):
    assert refresh_card(salt) is False
    write_card(salt, licence="MIT")
    before = table(text_of(salt), "class")
    with DatasetWriter.hold(salt, Dataset.open(salt).header) as writer:
        writer.split(SplitSettings(test_share=0.5))
    assert refresh_card(salt) is True
    after = table(text_of(salt), "class")
    assert (before["*all*"][1:], after["*all*"][1:]) == (
        ["28", "4", "8", "40"],
        ["16", "4", "20", "40"],
    )
    assert "[MIT]" in text_of(salt)


def test_an_unfinished_dataset_gets_no_card(make, tmp_path):
    path = make(tmp_path / "d.zarr")
    (path / "images" / "c" / "1" / "0" / "0" / "0").unlink()
    with pytest.raises(InputError, match="incomplete"):
        write_card(path)
    assert not (path / "README.md").exists()


def test_damaged_data_get_no_card(make, tmp_path):
    path = make(tmp_path / "d.zarr")
    file = path / "images" / "c" / "0" / "0" / "0" / "0"
    content = bytearray(file.read_bytes())
    content[5] ^= 1
    file.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        write_card(path)
    assert not (path / "README.md").exists()


def test_no_card_while_another_writes(salt):
    with (
        DatasetWriter.hold(salt, Dataset.open(salt).header),
        pytest.raises(InputError, match="another process"),
    ):
        write_card(salt)
