"""Licences: SPDX identifiers, and the names that the Hugging Face hub has for them."""

import difflib
import re

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

_USUAL = (
    *("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "ODC-By-1.0", "ODbL-1.0"),
    *("CDLA-Permissive-2.0", "PDDL-1.0", "MIT", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-only"),
)
_NOISE = re.compile(r"\b(the|licen[cs]ed?|version)\b|[()]", re.IGNORECASE)
# https://huggingface.co/docs/hub/repositories-licenses; these are not SPDX's in lower case.
_HUB = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl", "C-UDA-1.0": "c-uda"}
_SPDX = {name: spdx for spdx, name in _HUB.items()}
_ON_HUB = frozenset(
    {
        *("apache-2.0", "mit", "afl-3.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause"),
        *("bsd-3-clause-clear", "bsl-1.0", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0"),
        *("cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0"),
        *("cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
        *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "ecl-2.0", "epl-2.0", "etalab-2.0"),
        *("eupl-1.1", "agpl-3.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "isc"),
        *(
            "mpl-2.0",
            "ms-pl",
            "ncsa",
            "ofl-1.1",
            "osl-3.0",
            "postgresql",
            "unlicense",
            "wtfpl",
            "zlib",
        ),
    }
)


def check_licence(text: str) -> str:
    """The SPDX identifier of one licence, in its official spelling.

    Raises:
        ValueError: It is none. The text names the nearest.
    """
    identifier = _canonical(text)
    if identifier is None:
        nearest = _nearest(text)
        hint = f"did you mean '{nearest}'?" if nearest else f"usual are {', '.join(_USUAL[:4])}"
        raise ValueError(
            f"no SPDX identifier; {hint} (they are listed at https://spdx.org/licenses; "
            "LicenseRef-NAME stands for a licence of your own)"
        )
    return identifier


def licence_url(identifier: str) -> str | None:
    """Where a licence's text is, or None for one that SPDX does not list."""
    own = identifier.startswith("LicenseRef-")
    return None if own else f"https://spdx.org/licenses/{identifier}.html"


def hub_keys(identifier: str) -> dict[str, str]:
    """What the front matter of a card says of a licence, by the keys of the Hugging Face hub."""
    if not identifier:
        return {}
    name = _HUB.get(identifier, identifier.lower())
    if name in _ON_HUB or identifier in _HUB:
        return {"license": name}
    keys = {"license": "other", "license_name": identifier}
    url = licence_url(identifier)
    return {**keys, "license_link": url} if url else keys


def from_hub_keys(keys: dict[str, object]) -> str:
    """The SPDX identifier that front matter states, or "" where it states none that SPDX has."""
    name = keys.get("license")
    if name == "other":
        name = keys.get("license_name")
    if not isinstance(name, str):
        return ""
    return _canonical(_SPDX.get(name, name)) or ""


def _canonical(text: str) -> str | None:
    try:
        identifier = str(canonicalize_license_expression(text.strip()))
    except InvalidLicenseExpression:
        return None
    return None if " " in identifier else identifier  # one licence, no expression


def _nearest(text: str) -> str | None:
    words = _NOISE.sub(" ", text).split()
    joined = "-".join(words)
    for guess in (joined, f"{joined}-4.0", f"{joined}-1.0"):
        if guess and (identifier := _canonical(guess)):
            return identifier
    known = {name.lower(): name for name in _USUAL}
    found = difflib.get_close_matches(joined.lower(), known, n=1, cutoff=0.5)
    return known[found[0]] if found else None
