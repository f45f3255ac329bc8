"""A run that sees its mask as a channel, as a file of other programs: the same at run time."""

import numpy as np
import onnxruntime
import pytest
import torch

from crystalvision.api.training import train
from crystalvision.prediction import UNSEEN, Predictor

# A training and two exports take half a minute; what is prepared of masks is tested by itself.
pytestmark = pytest.mark.slow
STEPS = ["log1p", "standardise", "mask-channel"]


@pytest.fixture(scope="module")
def seeing(make_experiment, dataset_path, tmp_path_factory):
    """A run of one epoch whose branches see what was seen."""
    path = tmp_path_factory.mktemp("runs") / "masks"
    changes = {"input": STEPS, "schedule.classifier.epochs": 1, "schedule.regressor.epochs": 1}
    return train(make_experiment(), dataset_path, path, set=changes)


@pytest.mark.parametrize(("to", "suffix"), [("onnx", ".onnx"), ("torch-export", ".pt2")])
def test_a_file_takes_the_mask_that_a_run_takes(seeing, dataset, tmp_path, to, suffix):
    path = seeing.export(tmp_path / f"model{suffix}", to=to).path
    counts = dataset.images(np.arange(4)).astype(np.float32)
    seen = np.ones(counts.shape, dtype=bool)
    seen[0, :, 12:20, 10:30] = seen[2, :, :5] = False
    marked = np.where(seen, counts, np.float32(np.nan))
    if to == "onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

        def ask(patterns, mask=None):
            given = {"counts": patterns} | ({} if mask is None else {"seen": mask})
            return session.run(None, given)[1]
    else:
        program = torch.export.load(path).module()

        def ask(patterns, mask=None):  # it takes marks alone
            marks = patterns if mask is None else np.where(mask, patterns, np.float32(np.nan))
            return program(torch.from_numpy(marks))[1].detach().numpy()

    predictor = Predictor.load(seeing.path)
    whole = predictor.predict(counts)["label"].probabilities
    hidden = predictor.predict(marked, gap_values=UNSEEN)["label"].probabilities
    assert np.allclose(ask(counts), whole, atol=1e-5)
    assert np.allclose(ask(marked), hidden, atol=1e-5)
    assert np.allclose(ask(counts, seen), hidden, atol=1e-5)
    # The mask says something: as many zeros that were seen are another pattern.
    assert not np.allclose(ask(np.where(seen, counts, np.float32(0))), hidden, atol=1e-4)
