"""Systems that are compared: how each is trained, and on what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RANGE = {
    "instrument.two_theta_min_deg": 10,
    "instrument.two_theta_max_deg": 89.96,
    "instrument.step_deg": 0.04,
}
INPUT = [{"name": "snip", "distance": 1.5}, "max-scale", "power"]


@dataclass(frozen=True, slots=True)
class SystemPlan:
    """One system.

    Attributes:
        title: What to call it.
        experiment: The shipped experiment that it is.
        set: What is changed of it.
        recipe: The shipped recipe of its patterns.
        online: Whether it learns from new patterns each epoch.
        epochs: Passes, for networks.
    """

    title: str
    experiment: str
    set: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = "powder-library"
    online: bool = False
    epochs: int | None = None


def _classical(title: str, experiment: str, **options: Any) -> SystemPlan:
    points = options.pop("points", 4)
    return SystemPlan(
        title,
        experiment,
        {
            "system.features": [{"name": "values", "points": points}],
            "system.estimator": {"name": experiment, **options},
            "input": INPUT,
        },
    )


SYSTEMS: Mapping[str, SystemPlan] = {
    "naive-bayes": _classical("naive Bayes", "naive-bayes", components=200),
    "knn": _classical("nearest neighbours, cosine", "knn", neighbours=5, metric="cosine"),
    "logistic": _classical("logistic regression", "logistic", components=200, max_iterations=300),
    "random-forest": _classical("random forest", "random-forest", trees=30, leaf_patterns=3),
    "svm": _classical("support vector machine", "svm", components=200, folds=2),
    "paper": SystemPlan(
        "Wang et al.: calculated patterns on measured noise",
        "powder-paper",
        recipe="powder-theoretical",
        epochs=40,
    ),
    "paper-nuisance": SystemPlan(
        "Wang et al.'s network, our nuisance, new each epoch",
        "powder",
        {
            "system.branches.classifier.backbone": "xrdnet",
            "system.branches.classifier.head": "dense",
        },
        online=True,
        epochs=20,
    ),
    "better": SystemPlan(
        "residual network, our nuisance, new each epoch", "powder", online=True, epochs=20
    ),
}

WITHOUT: Mapping[str, Mapping[str, Any]] = {
    "nothing left out": {},
    "width": {
        "instrument.w_deg2": 0.01,
        "instrument.size_angstrom": 1500,
        "instrument.microstrain": 0,
    },
    "background": {
        "instrument.background_counts": 0,
        "instrument.air_counts": 0,
        "instrument.hump_counts": 0,
    },
    "texture": {"crystal.march_dollase": 1, "crystal.intensity_spread": 0},
    "zero": {"instrument.zero_shift_deg": 0, "instrument.displacement_mm": 0},
    "strain": {"crystal.cell_error": 0, "crystal.cell_spread": 0},
    "k_alpha_2": {"instrument.k_alpha_2_share": 0},
    "foreign": {"crystal.foreign_share": 0},
    "all of these": {},
}
"""What the recipe is changed to where a nuisance is left out."""


def left_out(name: str) -> dict[str, Any]:
    """Changes of the recipe for one of `WITHOUT`."""
    if name != "all of these":
        return dict(WITHOUT[name])
    return {key: value for each in WITHOUT.values() for key, value in each.items()}
