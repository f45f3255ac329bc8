"""Modules of `ncempy.io`, each by itself.

ncempy's readers are under the MIT licence, other parts of it under the GPL. `import ncempy.io`
would import all of it, so the file of one reader is loaded alone.
"""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from crystalvision.errors import InputError


@cache
def ncempy_io(name: str) -> ModuleType:
    """The module `ncempy.io.NAME`.

    Raises:
        InputError: ncempy is not installed.
    """
    package = importlib.util.find_spec("ncempy")  # finds it, and does not run it
    if package is None or package.origin is None:
        raise InputError("files of this format are read by ncempy; install it: pip install ncempy")
    path = Path(package.origin).parent / "io" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_crystalvision_ncempy_{name}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: ncempy has no reader there; install another: pip install ncempy")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
