"""Run folders that were damaged, exchanged, or made to do harm."""

import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB

from crystalvision.errors import InputError
from crystalvision.runs import Run


@pytest.fixture
def copy(classical_path, tmp_path) -> Path:
    return Path(shutil.copytree(classical_path, tmp_path / "copy"))


class Harm:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refused(copy, catalogue, match):
    with pytest.raises(InputError, match=match) as caught:
        Run.load(copy, catalogue)
    assert "\n" not in str(caught.value)


def test_a_pickle_in_place_of_the_estimator_is_not_executed(copy, catalogue, tmp_path):
    (copy / "estimator.skops").write_bytes(pickle.dumps(Harm(tmp_path / "harm")))
    refused(copy, catalogue, r"estimator.skops is damaged, or not what crystalvision train writes")
    assert not (tmp_path / "harm").exists()


def test_a_call_hidden_in_the_estimator_is_named_and_not_executed(copy, catalogue, tmp_path):
    estimator = skops.io.load(copy / "estimator.skops", trusted=["sklearn.tree._tree.Tree"])
    estimator.extra = Harm(tmp_path / "harm")
    skops.io.dump(estimator, copy / "estimator.skops")
    refused(copy, catalogue, r"estimator.skops is refused: it names .*Harm.*nothing of it was load")
    assert not (tmp_path / "harm").exists()


def test_a_schema_that_names_a_function_of_the_system_is_refused(copy, catalogue, tmp_path):
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 1,
        "protocol": 2,
        "_skops_version": "0.13",
    }
    with zipfile.ZipFile(copy / "estimator.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    refused(copy, catalogue, r"estimator.skops is (refused|damaged)")


@pytest.mark.parametrize("part", ["estimator.skops", "features.safetensors"])
def test_half_a_file_is_refused(copy, catalogue, part):
    data = (copy / part).read_bytes()
    (copy / part).write_bytes(data[: len(data) // 2])
    refused(copy, catalogue, rf"{part} (cannot be read|is damaged)")


@pytest.mark.parametrize("part", ["estimator.skops", "features.safetensors"])
def test_a_file_that_is_missing_is_said_to_be_missing(copy, catalogue, part):
    (copy / part).unlink()
    refused(copy, catalogue, rf"has no {part}: the run holds no model")


def test_another_estimator_is_refused(copy, catalogue):
    other = GaussianNB().fit(np.eye(4), np.arange(4))
    skops.io.dump(other, copy / "estimator.skops")
    refused(copy, catalogue, r"holds GaussianNB; run.yaml describes RandomForestClassifier")


@pytest.mark.parametrize("width", [33, 35])
def test_an_estimator_of_other_features_is_refused(copy, catalogue, width):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, width))
    other = RandomForestClassifier(3, random_state=0).fit(points, np.arange(40) % 4)
    skops.io.dump(other, copy / "estimator.skops")
    refused(copy, catalogue, r"damaged or of different runs: .*features")


def test_an_estimator_of_other_classes_is_refused(copy, catalogue):
    points = np.random.default_rng(0).normal(size=(40, 34))
    other = RandomForestClassifier(3, random_state=0).fit(points, np.arange(40) % 5)
    skops.io.dump(other, copy / "estimator.skops")
    refused(copy, catalogue, r"tells the classes \[0 1 2 3 4\]; expected some of \[0, 1, 2, 3\]")


def test_a_tree_that_leads_out_of_its_memory_is_refused(copy, catalogue):
    estimator = skops.io.load(copy / "estimator.skops", trusted=["sklearn.tree._tree.Tree"])
    tree = estimator.estimators_[3].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10**9
    tree.__setstate__(state)
    skops.io.dump(estimator, copy / "estimator.skops")
    refused(copy, catalogue, r"is damaged: a tree in it leads nowhere")


def test_features_of_another_shape_are_refused(copy, catalogue):
    arrays = load_file(copy / "features.safetensors")
    arrays["1.components"] = arrays["1.components"][:, :-1].copy()
    save_file(arrays, copy / "features.safetensors")
    refused(copy, catalogue, r"features.safetensors does not fit feature 'pca': shapes")


def test_a_state_that_nobody_asks_for_is_refused(copy, catalogue):
    arrays = load_file(copy / "features.safetensors")
    save_file({**arrays, "7.x": np.zeros(3)}, copy / "features.safetensors")
    refused(copy, catalogue, r"features.safetensors holds '7', which no feature")
