"""How figures become part of a page."""

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure for the page.

    Attributes:
        uri: The picture itself, as a data URI.
        alt: What it shows, in words.
        width: Its width [CSS pixels].
        height: Its height [CSS pixels].
        caption: What to say below it, or "".
    """

    uri: str
    alt: str
    width: int
    height: int
    caption: str = ""


def picture(figure: "Figure", alt: str, caption: str = "") -> Picture:
    """A figure as SVG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    width, height = figure.get_size_inches() * 96
    uri = data_uri(buffer.getvalue(), "image/svg+xml")
    return Picture(uri, alt, round(width), round(height), caption)


def data_uri(content: bytes, media_type: str) -> str:
    """A file as part of the page."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
