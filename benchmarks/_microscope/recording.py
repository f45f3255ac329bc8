"""What a file makes of a picture: 16 bits, or 8 with a gamma, writing, and losses of packing."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_WORDS = ("5 1/nm", "10 1/nm", "SAED 200 kV", "2 nm-1", "(a)")


def recorded(
    counts: np.ndarray[Any, Any], shadow: np.ndarray[Any, Any], rng: np.random.Generator
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], bool]:
    """The picture as it is in the file, and what of it is written on."""
    if rng.random() < 0.35:
        gain = rng.uniform(1, 5)
        plain = counts * gain + rng.uniform(0, 60) + rng.normal(0, 1.5, counts.shape)
        return np.rint(np.clip(plain, 0, 65535)), np.zeros(counts.shape, dtype=bool), False
    top = float(np.quantile(counts[~shadow], rng.uniform(0.985, 0.9995)))
    grey = 255 * np.clip(counts / top, 0, 1) ** rng.uniform(0.5, 1.0)
    picture = Image.fromarray(np.rint(grey).astype(np.uint8))
    before = np.asarray(picture).astype(int)
    if rng.random() < 0.8:
        _write(picture, rng)
    written = np.asarray(picture).astype(int) != before
    if rng.random() < 0.5:
        packed = BytesIO()
        picture.save(packed, "JPEG", quality=int(rng.integers(75, 96)))
        picture = Image.open(packed)
    return np.asarray(picture).astype(float), written, True


def _write(picture: Image.Image, rng: np.random.Generator) -> None:
    """A scale bar with its number, perhaps on a dark strip, and perhaps a title."""
    draw, (w, h) = ImageDraw.Draw(picture), picture.size
    size = max(11, min(h, w) // 24)
    font = ImageFont.load_default(size)
    left, low = int(0.04 * w), int(0.95 * h)
    if rng.random() < 0.3:
        draw.rectangle([0, int(0.9 * h), w, h], fill=0)
    length, thick = int(rng.uniform(0.12, 0.25) * w), max(2, min(h, w) // 120)
    draw.rectangle([left, low, left + length, low + thick], fill=255)
    words = _WORDS[rng.integers(len(_WORDS))]
    draw.text((left, low - 1.4 * size), words, fill=255, font=font)
    if rng.random() < 0.3:
        draw.text((left, int(0.03 * h)), _WORDS[rng.integers(2, len(_WORDS))], fill=255, font=font)
