"""Checksums that tell whether an image and its row still belong together."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt32

from crystalvision.datasets._columns import ROW_CHECKSUM


def part_checksums(parts: np.ndarray[Any, Any]) -> UInt32[np.ndarray, "n"]:
    """CRC-32 of the raw bytes of each sample's part, little-endian: (n, *shape) → (n,)."""
    little = np.ascontiguousarray(parts, dtype=parts.dtype.newbyteorder("<"))
    return np.array([zlib.crc32(part) for part in little], dtype=np.uint32)


def row_checksums(
    identity: str, start: int, rows: Mapping[str, np.ndarray[Any, Any]]
) -> UInt32[np.ndarray, "n"]:
    """CRC-32 of the dataset's identity, each sample's index, and its values in all other columns.

    The identity is part of it, so that a shard of another dataset is found out.

    Args:
        identity: Identity of the dataset.
        start: Index of the first sample.
        rows: The columns, name → (n,); their order does not matter.

    Returns:
        One checksum a sample, (n,).
    """
    names = sorted(name for name in rows if name != ROW_CHECKSUM)
    count = len(rows[names[0]])
    indices = np.arange(start, start + count, dtype="<i8")
    parts = [indices] + [rows[name].astype(rows[name].dtype.newbyteorder("<")) for name in names]
    content = np.concatenate(
        [np.ascontiguousarray(part).view(np.uint8).reshape(count, -1) for part in parts], axis=1
    )
    start_value = zlib.crc32(identity.encode())
    return np.array([zlib.crc32(row, start_value) for row in content], dtype=np.uint32)
