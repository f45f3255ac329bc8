"""Keeps fitted classical systems in files from which nothing is unpickled."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from crystalvision.classical._check import check_estimator, check_use
from crystalvision.classical._system import ClassicalSystem
from crystalvision.errors import InputError, PluginError
from crystalvision.storage import whole_file, write_file

FEATURES = "features.safetensors"
ESTIMATOR = "estimator.skops"

# What scikit-learn's estimators hold, and skops does not trust of itself.
_TRUSTED = frozenset(
    {
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.tree._tree.Tree",
    }
)


def save_classical(folder: Path, system: ClassicalSystem) -> None:
    """Write `features.safetensors` and `estimator.skops`.

    Raises:
        StorageError: The disk refuses.
        PluginError: The estimator holds what could not be loaded again.
    """
    import skops.io

    arrays = {
        f"{place}.{name}": np.ascontiguousarray(array)
        for place, features in enumerate(system.features)
        for name, array in features.state().items()
    }
    with whole_file(folder / FEATURES, overwrite=True) as partial:
        save_file(arrays, partial)
    try:
        data = skops.io.dumps(system.estimator)
        strange = _untrusted(data, system)
    except Exception as error:  # a stranger's estimator may hold anything
        raise PluginError(
            f"estimator '{system.estimator_name}' cannot be saved by skops: {_line(error)}"
        ) from error
    if strange:
        raise PluginError(
            f"estimator '{system.estimator_name}' holds {', '.join(strange)}, which would be "
            "refused when the run is loaded; expected what scikit-learn consists of, or what an "
            "estimator holds before it is fitted"
        )
    write_file(folder / ESTIMATOR, data)


def load_classical(folder: Path, system: ClassicalSystem) -> None:
    """Read what `save_classical` wrote into a system that was built in the same way.

    Nothing is unpickled. An estimator's file is refused if it names any type that is neither
    scikit-learn's own nor in the installed plugin's estimator as it is before it is fitted.

    Args:
        folder: The run folder.
        system: The system as it is before it is fitted.

    Raises:
        InputError: A file is missing, damaged, of another system, or holds what is not trusted.
    """
    _load_features(folder / FEATURES, system)
    system.estimator = _load_estimator(folder / ESTIMATOR, system)
    check_use(folder, system)


def _load_features(path: Path, system: ClassicalSystem) -> None:
    _check_there(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    states: dict[str, dict[str, np.ndarray[Any, Any]]] = defaultdict(dict)
    for key, array in arrays.items():
        place, _, name = key.partition(".")
        states[place][name] = array
    for number, (name, features) in enumerate(zip(system.names, system.features, strict=True)):
        try:
            features.load_state(states.pop(str(number), {}))
        except ValueError as error:
            raise InputError(f"{path} does not fit feature '{name}': {error}") from error
    if states:
        raise InputError(f"{path} holds '{min(states)}', which no feature of the run asks for")


def _load_estimator(path: Path, system: ClassicalSystem) -> Any:
    import skops.io

    _check_there(path)
    try:
        data = path.read_bytes()
        strange = _untrusted(data, system)
    except Exception as error:  # zip, JSON and skops each raise their own
        raise InputError(
            f"{path} is damaged, or not what crystalvision train writes: {_line(error)}"
        ) from error
    if strange:
        raise InputError(
            f"{path} is refused: it names {', '.join(strange)}, which an estimator "
            f"'{system.estimator_name}' does not consist of; nothing of it was loaded. Get the run "
            "again from where it was trained"
        )
    try:
        estimator = skops.io.loads(data, trusted=sorted(_trusted(system)))
    except Exception as error:  # as above, and what building the estimator raises
        raise InputError(
            f"{path} is damaged, or not what crystalvision train writes: {_line(error)}"
        ) from error
    check_estimator(path, estimator, system)
    return estimator


def _untrusted(data: bytes, system: ClassicalSystem) -> list[str]:
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=data)) - _trusted(system))


def _trusted(system: ClassicalSystem) -> frozenset[str]:
    """Types by name: scikit-learn's, and those of the installed estimator before it is fitted."""
    import skops.io

    plain = skops.io.dumps(system.unfitted)
    return _TRUSTED.union(skops.io.get_untrusted_types(data=plain))


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            f"{path.parent} has no {path.name}: the run holds no model; train it again"
        )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
