"""What detectors write where they measured nothing is no count."""

import numpy as np
import pytest

from crystalvision.errors import InputError
from crystalvision.measured_files import (
    as_counts,
    fill_gaps,
    parse_gap_values,
)

from .image_files import COUNTS


@pytest.mark.parametrize(
    ("mark", "dtype"),
    [
        (2**32 - 1, "uint32"),
        (2**32 - 2, "uint32"),
        (2**32 - 1, "float64"),
        (2**32 - 1, "float32"),
        (2**31 - 1, "int32"),
        (-1, "int32"),
        (-2, "int16"),
        (float("nan"), "float32"),
    ],
)
def test_marks_of_gaps_are_no_counts(mark, dtype):
    image = COUNTS.astype(dtype)
    image[5, 7] = mark
    with pytest.raises(InputError, match=r"x: 1 of 480 pixels are .*give --gap-value .* to set"):
        fill_gaps(image, "x", None)
    expected = np.where(np.arange(480).reshape(24, 20) == 5 * 20 + 7, 0, COUNTS)
    assert np.array_equal(fill_gaps(image, "x", (float(np.array(mark, dtype)),)), expected)
    assert fill_gaps(image, "x", ()) is image


@pytest.mark.parametrize(
    ("largest", "dtype"), [(65535, "uint16"), (65535, "uint32"), (255, "uint8")]
)
def test_a_gap_goes_from_edge_to_edge_and_saturation_does_not(largest, dtype):
    image = COUNTS.astype(dtype)
    image[10:13, 8:12] = largest
    assert fill_gaps(image, "x", None) is image  # the direct beam
    image[10] = largest
    with pytest.raises(InputError, match=rf"pixels are {largest}, which is how detectors mark"):
        fill_gaps(image, "x", None)


def test_a_point_of_a_curve_may_have_any_count():
    curve = np.arange(200, 400, dtype=np.uint32).reshape(1, 1, -1)
    assert 255 in curve
    assert np.array_equal(as_counts(curve[0], "curve", None), curve[0])


def test_values_of_gaps_as_they_are_given():
    assert parse_gap_values([]) is None
    assert parse_gap_values(["none"]) == ()
    assert parse_gap_values(["4294967295", "-1"]) == (4294967295, -1)
    assert np.isnan(parse_gap_values(["nan"])[0])
    for texts in (["x"], ["none", "3"]):
        with pytest.raises(InputError, match=f"--gap-value {texts[0]}"):
            parse_gap_values(texts)
