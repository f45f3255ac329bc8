"""Small pieces of text that the card's files share."""

from urllib.parse import quote

from crystalvision.cards._facts import Facts
from crystalvision.datasets import DatasetHeader
from crystalvision.text import one_line

IN_URLS = "%/:?#[]@!$&'()*+,;=~"
"""What a web address may have beside letters and digits."""

# Braces of their own would part a field for BibTeX, also behind a backslash.
_BIBTEX = str.maketrans(
    {
        **{letter: f"\\{letter}" for letter in "#$%&_"},
        "\\": r"\textbackslash{}",
        "^": r"\textasciicircum{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
    }
)
_SCATTERING = {"q", "q_x", "q_y", "q_z", "theta", "two_theta"}
_PATTERNS = {1: "curves", 2: "images"}


def patterns_of(header: DatasetHeader) -> str:
    """What the patterns of a dataset are, in the plural: `diffraction images`, `curves`."""
    kind = kind_of(header)
    return f"diffraction {kind}" if is_diffraction(header) else kind


def kind_of(header: DatasetHeader) -> str:
    """What patterns are by their dimensions, in the plural: `images`, `curves`, `volumes`."""
    return _PATTERNS.get(len(header.axes), "volumes")


def is_diffraction(header: DatasetHeader) -> bool:
    """Whether patterns lie along an angle of scattering or a scattering vector."""
    return any(axis.name in _SCATTERING for axis in header.axes)


def number(value: float | None, *, whole: bool = False) -> str:
    """A number with four digits, or in full where it is a whole one; a dash for none."""
    if value is None:
        return "–"
    if whole and value == int(value):
        return str(int(value))
    return f"{value:.4g}"


def citation_of(header: DatasetHeader, name: str, facts: Facts) -> str:
    """How to cite a dataset: as its creators say, or BibTeX made of what is known of it."""
    if facts.citation:
        return facts.citation
    # Braces keep BibTeX from taking an organisation apart into first and last name.
    creators, organisations = (
        map(_bibtex, names) for names in (facts.creators, facts.organisations)
    )
    authors = [*creators, *(f"{{{organisation}}}" for organisation in organisations)]
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{_bibtex(name)}}}: {header.samples} {patterns_of(header)}",
        "year": str(facts.published.year) if facts.published else "",
        "url": quote(facts.url, safe=IN_URLS),
        "note": f"CrystalVision dataset, identity sha256:{header.identity}",
    }
    lines = [f"  {field} = {{{value}}}" for field, value in fields.items() if value]
    key = "".join(letter if letter.isalnum() else "-" for letter in name)
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}"


def _bibtex(text: str) -> str:
    return one_line(text).translate(_BIBTEX)
