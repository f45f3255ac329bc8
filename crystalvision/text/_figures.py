"""Text in figures."""

from functools import cache

from crystalvision.text._escape import one_line, shortened

_LENGTH = 60


def figure_text(text: str, length: int = _LENGTH) -> str:
    r"""A name as matplotlib can draw it: on one line, of bearable length, with letters it has.

    What the font of the figures lacks is drawn as its escape, such as `\u4e2d`. That `$` begins
    no formula is a setting of the figures' style, `text.parse_math`.
    """
    shown = one_line(text)
    if not shown.isascii():
        known = _letters()
        shown = "".join(
            letter if ord(letter) in known else letter.encode("unicode_escape").decode("ascii")
            for letter in shown
        )
    # matplotlib leaves what begins with "_" out of a legend.
    return shortened(f" {shown}" if shown.startswith("_") else shown, length)


@cache
def _letters() -> frozenset[int]:
    """What matplotlib's own font, DejaVu Sans, can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    regular, bold = (
        get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
        for weight in ("normal", "bold")
    )
    return frozenset(regular.get_charmap()) & frozenset(bold.get_charmap())
