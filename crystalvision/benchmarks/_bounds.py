"""The upper bound of the accuracy on each test set, where its source can tell one."""

from collections.abc import Callable

from crystalvision.benchmarks._datasets import ImportedDataset, SuiteDataset
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._suite import Bound


def write_bound(
    made: SuiteDataset,
    place: BenchmarkFolder,
    bound: Bound,
    column: str,
    advance: Callable[[int], object],
) -> bool:
    """Write `bounds/NAME.json`, unless it is there.

    Args:
        made: The test set.
        place: Where it goes.
        bound: How it is estimated.
        column: The column for whose values it is estimated one by one, or "".
        advance: Told how many more patterns are done.

    Returns:
        Whether the bound is there now; a source need not know its own noise.

    Raises:
        InputError: The source cannot tell it for this recipe.
        StorageError: The disk refuses.
    """
    path = place.bound(made.name)
    if path.is_file():
        return True
    if isinstance(made, ImportedDataset):
        return False
    found = made.source.accuracy_bound(
        patterns=bound.patterns,
        specimens=bound.specimens,
        column=column,
        seed=bound.seed,
        advance=advance,
    )
    if found is None:
        return False
    found.save(path)
    return True
