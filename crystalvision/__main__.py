"""`python -m crystalvision` is `crystalvision`."""

import sys

from crystalvision.cli import main

sys.exit(main())
