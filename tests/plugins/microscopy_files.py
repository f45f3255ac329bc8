"""Writers of the formats of electron microscopes, by what is publicly known of them."""

import json
import struct
from pathlib import Path

import h5py
import numpy as np


def write_mib(path: Path, frames: np.ndarray) -> None:
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            head = (
                f"MQ1,{number + 1:06d},00384,01,{frame.shape[1]:04d},{frame.shape[0]:04d},U16,"
                "   1x1,01,2020-01-01 10:00:00,0.002500,0,0,0,1.0E+1"
            )
            file.write(head.encode().ljust(384, b"\0") + frame[::-1].astype(">u2").tobytes())


def write_blo(path: Path, scan: np.ndarray) -> None:
    rows, columns, side, _ = scan.shape
    head = struct.pack(
        "<6sHIIIHHHHHddIHId",
        *(b"IMGBLO", 0x102, 4096, 4608, 0, side, 0, columns, rows, 0),
        *(10.0, 10.0, 200_000, 5000, 2000, 0.0),
    )
    with path.open("wb") as file:
        file.write(head.ljust(4608, b"\0"))
        for number, image in enumerate(scan.reshape(-1, side, side)):
            file.write(struct.pack("<HI", 0x55AA, number) + image.astype(np.uint8).tobytes())


def write_emd(path: Path, data: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("data/scan")
        group.attrs["emd_group_type"] = 1
        group["data"] = data
        for number, size in enumerate(data.shape):
            step, units = (2.0, "[nm]") if number < 2 else (0.05, "[1/nm]")
            start = 0.0 if number < 2 else -0.05 * (size // 2)
            dim = group.create_dataset(f"dim{number + 1}", data=start + step * np.arange(size))
            dim.attrs["units"] = units
        file.create_group("microscope").attrs["voltage"] = 300_000


def write_velox(path: Path, frames: np.ndarray) -> None:
    metadata = {
        "Optics": {"AccelerationVoltage": "200000", "CameraLength": "0.65"},
        "BinaryResult": {
            "PixelSize": {"width": "2.5e7", "height": "2.5e7"},
            "PixelUnitX": "1/m",
            "PixelUnitY": "1/m",
        },
        "Detectors": {"Detector-0": {"ExposureTime": "0.5"}},
    }
    column = np.frombuffer(json.dumps(metadata).encode().ljust(4096, b"\0"), np.uint8)
    with h5py.File(path, "w") as file:
        group = file.create_group("Data/Image/0123abc")
        group["Data"] = np.moveaxis(frames, 0, -1)
        group["Metadata"] = column[:, None]


def write_hspy(path: Path, data: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("Experiments/patterns")
        group["data"] = data
        for number, size in enumerate(data.shape):
            axis = group.create_group(f"axis-{number}")
            axis.attrs.update(
                navigate=number < 2, size=size, scale=0.01, units="$A^{-1}$" if 0 else "1/Å"
            )
            axis.attrs["offset"] = -0.04 if number > 1 else 0.0
        tem = group.create_group("metadata/Acquisition_instrument/TEM")
        tem.attrs.update(beam_energy=200.0, camera_length=30.0)


def write_nexus(path: Path, data: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update(NX_class="NXdata", signal="data", axes=["y", "x", "q_y", "q_x"])
        group["data"] = data
        for name, size in zip(("y", "x", "q_y", "q_x"), data.shape, strict=True):
            axis = group.create_dataset(name, data=0.1 * (np.arange(size) - size // 2))
            axis.attrs["units"] = "1/nm" if name.startswith("q") else "nm"


def write_dm(path: Path, image: np.ndarray, kind: int, sizes=None, offset=True) -> None:
    """One image of DigitalMicrograph, version 3 or 4 by the name, of some type and sizes."""
    new = path.suffix == ".dm4"
    long = ">Q" if new else ">I"

    def tag(name: str, body: bytes, *, group: bool) -> bytes:
        start = struct.pack(">BH", 20 if group else 21, len(name)) + name.encode()
        return start + (struct.pack(">Q", len(body)) if new else b"") + body

    def group(name: str, *members: bytes) -> bytes:
        body = b"\0\0" + struct.pack(long, len(members)) + b"".join(members)
        return tag(name, body, group=True) if name else body

    def number(name: str, value: float, encoded: int = 5, code: str = "<I") -> bytes:
        body = b"%%%%" + struct.pack(long, 1) + struct.pack(long, encoded)
        return tag(name, body + struct.pack(code, value), group=False)

    def text(name: str, value: str) -> bytes:
        body = b"%%%%" + struct.pack(long, 3)
        body += b"".join(struct.pack(long, each) for each in (20, 4, len(value)))
        return tag(name, body + value.encode("utf-16-le"), group=False)

    encoded = {"i": 2, "u": 4, "f": 6}[image.dtype.kind]
    data = b"%%%%" + struct.pack(long, 3)
    data += b"".join(struct.pack(long, each) for each in (20, encoded, image.size))
    dimension = group(
        "",
        number("Origin", 4.0, 6, "<f"),
        number("Scale", 0.05, 6, "<f"),
        text("Units", "1/nm"),
    )
    calibrations = [tag("", dimension, group=True) for _ in image.shape]
    members = [
        group("Calibrations", group("Dimension", *calibrations)),
        tag("Data", data + image.astype(image.dtype.newbyteorder("<")).tobytes(), group=False),
        number("DataType", kind),
        group("Dimensions", *(number("", one) for one in sizes or image.shape[::-1])),
    ]
    if not offset:
        del members[1]
    # A nameless group within a list is a tag of its own.
    inner = group("ImageData", *members)
    whole = group(
        "", group("ImageList", tag("", b"\0\0" + struct.pack(long, 1) + inner, group=True))
    )
    head = struct.pack(">I", 4 if new else 3) + struct.pack(long, len(whole)) + struct.pack(">I", 1)
    path.write_bytes(head + whole + bytes(8))


WRITERS = {
    ".mib": (write_mib, lambda scan: scan.reshape(-1, *scan.shape[2:])),
    ".blo": (write_blo, lambda scan: scan[..., :8] % 256),
    ".emd": (write_emd, lambda scan: scan),
    ".hspy": (write_hspy, lambda scan: scan),
    ".nxs": (write_nexus, lambda scan: scan),
}
