"""What augmentations may say of which points were seen."""

import pytest
import torch

from crystalvision.contracts import Augmentation
from crystalvision.errors import PluginError
from crystalvision.training._augment import augmenter

COUNTS = torch.ones(2, 1, 6)


class Says(Augmentation):
    dimensions = frozenset({1})

    def __init__(self, seen: object) -> None:
        self.seen = seen

    def apply(self, counts, generator, seen=None):
        return counts, self.seen


def applied(seen: object, before: torch.Tensor | None = None):
    augment = augmenter([Says(seen)], torch.Generator())
    assert augment is not None
    return augment(COUNTS, before)


def test_a_mask_may_be_new():
    mask = COUNTS > 0
    assert applied(mask)[1] is mask
    assert applied(None)[1] is None


@pytest.mark.parametrize(
    ("seen", "before"),
    [
        (None, COUNTS > 0),  # forgotten
        (COUNTS, None),  # no mask
        (COUNTS[..., :3] > 0, None),  # of another grid
        ("all", None),
    ],
    ids=["forgotten", "numbers", "another-grid", "text"],
)
def test_what_is_no_mask_is_refused(seen, before):
    with pytest.raises(PluginError, match=r"expected a pair \(counts, seen\)"):
        applied(seen, before)
