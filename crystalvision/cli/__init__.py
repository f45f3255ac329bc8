"""The command line: `crystalvision COMMAND`.

One file a command; a command's heavy imports are inside its functions, so that `--help` is quick.
Further commands come from plugins, through the hook `crystalvision_commands`.
"""

from crystalvision.cli._main import main
from crystalvision.cli._state import State

__all__ = ["State", "main"]
