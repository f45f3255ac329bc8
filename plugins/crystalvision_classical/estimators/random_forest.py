"""Random forest."""

from pydantic import PositiveInt

from crystalvision.contracts import Estimator


def random_forest(
    trees: PositiveInt = 500,
    leaf_patterns: PositiveInt = 1,
    balanced: bool = False,
    seed: int = 0,
) -> Estimator:
    """Random forest (Breiman 2001): probabilities are the mean over all trees.

    Args:
        trees: How many trees.
        leaf_patterns: Patterns that a leaf holds at least.
        balanced: Whether classes weigh alike however many patterns they have.
        seed: Draws each tree's patterns and features.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest: Estimator = RandomForestClassifier(
        trees,
        min_samples_leaf=leaf_patterns,
        class_weight="balanced" if balanced else None,
        random_state=seed % 2**32,
    )
    return forest
