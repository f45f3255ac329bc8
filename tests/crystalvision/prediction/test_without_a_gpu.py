"""A predictor on a GPU that is not there: it runs, and waits for its answers only."""

import numpy as np
import pytest

from crystalvision.prediction import Predictor
from crystalvision.testing.fake_gpu import GPU, fake_gpu

HERE = "crystalvision.prediction."
ANSWERS = f"{HERE}_predicted_batch.finished"
NOVELTY = f"{HERE}_predictor.Predictor._batch"
BATCHES = 2


@pytest.mark.parametrize("masked", [False, True])
def test_a_prediction_waits_for_its_answers_only(run_path, catalogue, dataset, masked):
    """Those of each batch: class, its probabilities, severity, and how unlike the pattern is."""
    images = dataset.images(np.arange(4)).astype(np.float32)
    gaps = (-1,) if masked else ()
    if masked:
        images[..., :3, :] = -1
    expected = Predictor.load(run_path, catalogue=catalogue).predict(images, gap_values=gaps)
    with fake_gpu([ANSWERS, NOVELTY]) as waits:
        predictor = Predictor.load(run_path, catalogue=catalogue, device=GPU)
        found = predictor.predict(images, batch_size=4 // BATCHES, gap_values=gaps)
    assert waits == {ANSWERS: 3 * BATCHES, NOVELTY: BATCHES}
    assert found.novelty.shape == expected.novelty.shape
    for name in expected:
        assert found[name].value.shape == expected[name].value.shape
    assert found["label"].probabilities.shape == expected["label"].probabilities.shape


def test_features_are_made_on_the_device(run_path, catalogue, dataset):
    images = dataset.images(np.arange(2))
    described = f"{HERE}_predictor.Predictor.described"
    with fake_gpu([described]) as waits:
        predictor = Predictor.load(run_path, catalogue=catalogue, device=GPU)
        features, prepared = predictor.described(images)
    assert waits == {described: 2}
    assert len(features) == len(prepared) == 2
