"""The page "Dataset": samples in a gallery, filtered by all that is known of them."""

from crystalvision.explorer.dataset._page import DATASET

__all__ = ["DATASET"]
