"""Classical baselines: features, the estimators that read them, and experiments with both."""

from collections.abc import Mapping
from pathlib import Path

from crystalvision import hookimpl

_EXPERIMENTS = Path(__file__).parent / "experiments"


@hookimpl
def crystalvision_features() -> Mapping[str, str]:
    """The features that come with the toolkit."""
    return {
        "haralick": "crystalvision_classical.features.haralick:Haralick",
        "hog": "crystalvision_classical.features.hog:Hog",
        "pca": "crystalvision_classical.features.pca:PixelPca",
        "radial-profile": "crystalvision_classical.features.radial_profile:RadialProfile",
        "ring-moments": "crystalvision_classical.features.ring_moments:RingMoments",
        "spot-positions": "crystalvision_classical.features.spots:SpotPositions",
        "values": "crystalvision_classical.features.values:Values",
    }


@hookimpl
def crystalvision_estimators() -> Mapping[str, str]:
    """The estimators that come with the toolkit."""
    return {
        "knn": "crystalvision_classical.estimators.knn:knn",
        "logistic": "crystalvision_classical.estimators.logistic:logistic",
        "naive-bayes": "crystalvision_classical.estimators.naive_bayes:naive_bayes",
        "random-forest": "crystalvision_classical.estimators.random_forest:random_forest",
        "ridge": "crystalvision_classical.estimators.ridge:ridge",
        "svm": "crystalvision_classical.estimators.svm:svm",
    }


@hookimpl
def crystalvision_experiments() -> Mapping[str, Path]:
    """The experiments that come with the toolkit: one for each classifier, and two that count."""
    names = ("knn", "lattice", "logistic", "naive-bayes", "random-forest", "ring-moments", "svm")
    return {name: _EXPERIMENTS / f"{name}.yaml" for name in names}
