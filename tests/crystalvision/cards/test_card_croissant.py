"""The Croissant metadata, read by its own reference implementation."""

import hashlib
import json
import logging

import pytest
import zarr

from crystalvision.cards import write_card
from crystalvision.datasets import Dataset

# mlcroissant 1.1 uses what rdflib 7 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

STATED = {
    "licence": "CC-BY-4.0",
    "creators": ["Ada Lovelace"],
    "organisations": ["Institute of Salt"],
    "published": "2026-05-31",
    "url": "https://example.org/salt",
}

IMPORTED = {"kind": "imported", "name": "mine", "files": 1, "content_sha256": "5" * 64}


@pytest.fixture
def read(caplog):
    """Reads a dataset's metadata with mlcroissant; gives it and all complaints."""

    import mlcroissant

    def read(path):
        with caplog.at_level(logging.WARNING):
            found = mlcroissant.Dataset(path / "croissant.json")
        issues = found.metadata.ctx.issues
        assert issues.errors == set()
        return found, issues.warnings | {record.getMessage() for record in caplog.records}

    return read


@pytest.mark.parametrize(
    "header",
    [
        {"source": "simulation"},
        {"source": "simulation", "dtype": "float32", "shape": (3, 8, 8)},
        {"provenance": IMPORTED, "classes": ("one",)},
        {"recipe": {}, "samples": 1},
    ],
)
def test_metadata_are_valid_without_errors_or_warnings(make, read, tmp_path, header):
    path = make(tmp_path / "salt.zarr", **header)
    write_card(path, **STATED)
    _, complaints = read(path)
    assert complaints == set()


def test_only_what_nobody_stated_is_missed(salt, read):
    write_card(salt)
    _, complaints = read(salt)
    missed = {
        word
        for text in complaints
        for word in ("license", "datePublished", "citeAs", "version", "context")
        if word in text
    }
    assert missed == {"license", "datePublished"}


def test_metadata_tell_what_the_card_tells(make, read, tmp_path):
    path = make(tmp_path / "salt.zarr", synthetic=True, caveats=("None was measured.",))
    write_card(path, description="Salt.", **STATED)
    metadata = read(path)[0].metadata
    assert metadata.description == "Salt."
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0.html"]
    names = {(type(each).__name__, each.name) for each in metadata.creators}
    assert names == {("Person", "Ada Lovelace"), ("Organization", "Institute of Salt")}
    assert metadata.date_published.isoformat().startswith("2026-05-31")
    assert "Simulated" in metadata.data_collection
    assert metadata.data_limitations == ["None was measured."]
    assert "No annotators" in str(metadata.data_annotation_protocol)
    assert Dataset.open(path).identity in (path / "croissant.json").read_text()


def test_imported_data_are_not_called_simulated(make, tmp_path):
    path = make(tmp_path / "i.zarr", provenance=IMPORTED)
    write_card(path, **STATED)
    assert "simulat" not in (path / "croissant.json").read_text().lower()


def test_classes_and_splits_can_be_read(salt, read):
    write_card(salt)
    found, _ = read(salt)
    classes = list(found.records("classes"))
    assert [row["classes/index"] for row in classes] == [0, 1]
    assert [row["classes/name"] for row in classes] == ["whole", "holed"]
    assert [row["classes/severity"] for row in classes] == [0.0, 0.9]
    splits = {row["splits/index"]: row["splits/url"] for row in found.records("splits")}
    assert splits == {0: "cr:TrainingSplit", 1: "cr:ValidationSplit", 2: "cr:TestSplit"}


def test_every_field_is_an_array_of_the_store(salt):
    write_card(salt)
    document = json.loads((salt / "croissant.json").read_text())
    (samples,) = (each for each in document["recordSet"] if each["@id"] == "samples")
    group = zarr.open_group(salt, mode="r")
    atoms = {"i": "sc:Integer", "u": "sc:Integer", "f": "sc:Float", "b": "sc:Boolean"}
    for field in samples["field"]:
        array = group[field["source"]["extract"]["column"]]
        types = field["dataType"]
        assert atoms[array.dtype.kind] in ([types] if isinstance(types, str) else types)
        if field["name"] == "images":
            assert field["arrayShape"] == ",".join(map(str, array.shape[1:]))
    names = {field["name"] for field in samples["field"]}
    assert names == {"images", "split", *Dataset.open(salt).header.columns}


def test_files_are_there_with_their_checksums(salt):
    write_card(salt)
    document = json.loads((salt / "croissant.json").read_text())
    files = [each for each in document["distribution"] if each["@type"] == "cr:FileObject"]
    assert {each["contentUrl"] for each in files} == {"zarr.json", "crystalvision.json"}
    for each in files:
        content = (salt / each["contentUrl"]).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each["contentSize"] == f"{len(content)} B"
    (store,) = (each for each in document["distribution"] if each["@type"] == "cr:FileSet")
    matched = {file for pattern in store["includes"] for file in salt.glob(pattern)}
    files = {file.relative_to(salt).as_posix() for file in matched if file.is_file()}
    beside = {"README.md", "card.png", "croissant.json", "crystalvision.json"}
    hidden = {".crystalvision.lock"}
    everything = {file.relative_to(salt).as_posix() for file in salt.rglob("*") if file.is_file()}
    assert files == everything - beside - hidden
