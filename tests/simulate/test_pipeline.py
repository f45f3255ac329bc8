"""Many samples in order, whoever makes them."""

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest
import torch

from crystalvision.plugins import PluginSelection
from crystalvision_simulate.pipeline import make_on_cpu, make_on_gpu, map_in_order
from crystalvision_simulate.simulator import Simulator


def test_never_more_than_so_many_are_taken_ahead():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    with ThreadPoolExecutor(2) as executor:
        results = map_in_order(executor, lambda item: item * item, items(), 5)
        assert list(islice(results, 10)) == [item * item for item in range(10)]
        assert len(taken) <= 15
        results.close()
    assert len(taken) <= 15


def test_an_error_comes_through_in_its_place():
    def work(item):
        if item == 3:
            raise ValueError("three")
        return item

    with ThreadPoolExecutor(2) as executor:
        results = map_in_order(executor, work, range(10), 4)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)


def test_threads_of_torch_are_as_before_afterwards(small_recipe, catalogue):
    torch.set_num_threads(2)
    samples = make_on_cpu(Simulator(small_recipe, catalogue), range(3))
    next(samples)
    assert torch.get_num_threads() == 1
    samples.close()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_processes_and_batches_make_the_same_samples_as_threads(small_recipe, catalogue, processes):
    """The way of a GPU, on the CPU: everything but the device itself."""
    simulator = Simulator(small_recipe, catalogue)
    by_threads = list(make_on_cpu(simulator, range(5, 12)))
    by_batches = list(make_on_gpu(simulator, PluginSelection(), range(5, 12), processes=processes))
    assert len(by_threads) == len(by_batches) == 7
    for one, other in zip(by_threads, by_batches, strict=True):
        assert one.columns == other.columns
        assert np.array_equal(one.image, other.image)
