"""The names that a new plugin project needs, all made from one."""

import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass

from crystalvision.errors import InputError

_VALID = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class ProjectNames:
    """What a project and its thing are called.

    Attributes:
        distribution: What `pip install` takes, and what an experiment calls the thing: `salt-net`.
        package: What Python imports: `salt_net`.
        type_name: The class, or the start of a function's name: `SaltNet`.
    """

    distribution: str
    package: str
    type_name: str


def project_names(name: str) -> ProjectNames:
    """The names of a project.

    Args:
        name: Lower-case letters, digits and single hyphens, as in `salt-net`.

    Raises:
        InputError: It is no name of a distribution and a package, or something else has it already.
    """
    if not _VALID.fullmatch(name):
        words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
        better = "-".join(words).lstrip("0123456789-")
        hint = f"; '{better}' would do" if better else ""
        raise InputError(
            f"a plugin cannot be called '{name}': expected lower-case letters, digits and single "
            f"hyphens, a letter first{hint}"
        )
    distribution = name.replace("_", "-")
    package = distribution.replace("-", "_")
    if keyword.iskeyword(package):
        raise InputError(f"a plugin cannot be called '{name}': that is a word of Python; add to it")
    if package in sys.stdlib_module_names or importlib.util.find_spec(package) is not None:
        raise InputError(
            f"a plugin cannot be called '{name}': there is a package '{package}' already, which "
            "it would hide; choose another name, or uninstall that one"
        )
    parts = package.split("_")
    return ProjectNames(distribution, package, "".join(part.capitalize() for part in parts))
