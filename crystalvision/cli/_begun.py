"""What the processors had done when the program began, while it is still importing."""

from crystalvision.cores import usage

BEGUN = usage()
