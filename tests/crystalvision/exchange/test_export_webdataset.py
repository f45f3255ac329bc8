import json
import tarfile

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.exchange import export_webdataset

LEAVES_FILES_OPEN = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def exported(salt_path, tmp_path):
    export_webdataset(salt_path, tmp_path / "tars", samples_per_tar=4)
    return tmp_path / "tars"


def read(folder, part):
    import webdataset

    files = [str(path) for path in sorted(folder.glob(f"{part}-*.tar"))]
    pipeline = webdataset.DataPipeline(
        webdataset.SimpleShardList(files),
        webdataset.tarfile_to_samples(),
        webdataset.decode(),
    )
    return list(pipeline)


@LEAVES_FILES_OPEN
@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_webdataset_reads_the_samples_back(exported, salt, part):
    samples = read(exported, part)
    assert [int(sample["__key__"]) for sample in samples] == list(salt.split(part))
    for sample in samples:
        index = int(sample["__key__"])
        assert sample["npy"].dtype == np.uint16
        assert np.array_equal(sample["npy"], salt.images([index])[0])
        assert sample["cls"] == salt.column("label")[index]
        columns = sample["json"]
        assert columns["class"] == salt.header.class_names[sample["cls"]]
        assert columns["split"] == part
        assert columns["sample"] == index
        for name, column in salt.header.columns.items():
            found = np.nan if columns[name] is None else columns[name]
            expected = salt.column(name)[index]
            assert np.array_equal(np.asarray(found, column.dtype), expected, equal_nan=True), name


def test_what_is_not_known_is_null(exported):
    with tarfile.open(next(iter(sorted(exported.glob("train-*.tar"))))) as tar:
        texts = [tar.extractfile(name).read() for name in tar.getnames() if name.endswith(".json")]
    unknown = [json.loads(text) for text in texts if b'"sample": 2,' in text]
    assert [columns["energy_kev"] for columns in unknown] == [None]


def test_tars_are_short_and_the_same_every_time(exported, salt_path, salt, tmp_path):
    done = export_webdataset(salt_path, tmp_path / "again", samples_per_tar=4)
    names = sorted(path.name for path in exported.glob("*.tar"))
    counts = {part: -(-len(salt.split(part)) // 4) for part in ("train", "validation", "test")}
    assert names == sorted(f"{part}-{n:06d}.tar" for part in counts for n in range(counts[part]))
    assert done.files == len(names) + 2
    for name in names:
        assert (exported / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        with tarfile.open(exported / name) as tar:
            assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}


def test_one_part_alone(salt_path, salt, tmp_path):
    done = export_webdataset(salt_path, tmp_path / "tars", split="validation")
    assert done.samples == len(salt.split("validation"))
    assert [path.name for path in (tmp_path / "tars").glob("*.tar")] == ["validation-000000.tar"]
    document = json.loads((tmp_path / "tars/dataset.json").read_text())
    assert document["identity"] == salt.identity
    assert document["header"]["provenance"] == salt.header.provenance.model_dump(mode="json")
    assert document["header"]["axes"][1]["scale"] == 0.04


@LEAVES_FILES_OPEN
def test_the_code_in_the_readme_works(salt_path, salt, tmp_path, monkeypatch):
    export_webdataset(salt_path, tmp_path / "tars")
    monkeypatch.chdir(tmp_path / "tars")
    text = (tmp_path / "tars/README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    namespace = {}
    exec(code, namespace)
    last = int(salt.split("train")[-1])
    assert namespace["columns"]["sample"] == last
    assert np.array_equal(namespace["image"], salt.images([last])[0])


def test_a_tar_of_no_samples_is_refused(salt_path, tmp_path):
    with pytest.raises(InputError, match="0 samples in a tar file were asked for"):
        export_webdataset(salt_path, tmp_path / "tars", samples_per_tar=0)
    assert not list(tmp_path.iterdir())


def test_an_export_replaces_an_export(exported, salt_path):
    export_webdataset(salt_path, exported, overwrite=True)
    assert len(list(exported.glob("train-*.tar"))) == 1
