"""Licences and the other facts that people state."""

import re

import pytest

from crystalvision.cards import Facts
from crystalvision.cards._licence import from_hub_keys, hub_keys
from crystalvision.errors import InputError


@pytest.mark.parametrize(
    ("given", "licence"),
    [
        ("MIT", "MIT"),
        ("cc-by-4.0", "CC-BY-4.0"),
        (" CC0-1.0 ", "CC0-1.0"),
        ("odbl-1.0", "ODbL-1.0"),
        ("LicenseRef-Ours", "LicenseRef-Ours"),
    ],
)
def test_licences_are_spelt_as_spdx_does(given, licence):
    assert Facts().with_changes({"licence": given}).licence == licence


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MIT licence", "MIT"),
        ("MIT License", "MIT"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("CC-BY", "CC-BY-4.0"),
        ("cc-by-4", "CC-BY-4.0"),
        ("CC0", "CC0-1.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("BSD 3 clause", "BSD-3-Clause"),
    ],
)
def test_what_is_nearly_an_identifier_is_corrected(given, meant):
    error = f"licence='{given}': no SPDX identifier; did you mean '{meant}'?"
    with pytest.raises(InputError, match=re.escape(error)):
        Facts().with_changes({"licence": given})


@pytest.mark.parametrize("given", ["free for all people", "MIT OR Apache-2.0", "?"])
def test_what_is_no_licence_is_refused_with_where_to_look(given):
    with pytest.raises(InputError, match=re.escape("https://spdx.org/licenses")) as raised:
        Facts().with_changes({"licence": given})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("licence", "keys"),
    [
        ("", {}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("PDDL-1.0", {"license": "pddl"}),
        ("LicenseRef-Ours", {"license": "other", "license_name": "LicenseRef-Ours"}),
        (
            "BSD-4-Clause",
            {
                "license": "other",
                "license_name": "BSD-4-Clause",
                "license_link": "https://spdx.org/licenses/BSD-4-Clause.html",
            },
        ),
    ],
)
def test_licences_go_to_the_hub_and_back(licence, keys):
    assert hub_keys(licence) == keys
    assert from_hub_keys(keys) == licence


@pytest.mark.parametrize("keys", [{"license": "unknown"}, {"license": ["mit", "gpl"]}, {}])
def test_what_the_hub_calls_no_licence_is_none(keys):
    assert from_hub_keys(keys) == ""


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"published": "31.5.2026"}, "published='31.5.2026': expected a date such as"),
        ({"url": "example.org"}, "url='example.org': expected a web address"),
        ({"creators": ("Ada\nGrace",)}, "a name stands on one line"),
    ],
)
def test_other_facts_that_cannot_be(changes, error):
    with pytest.raises(InputError, match=re.escape(error)):
        Facts().with_changes(changes)


def test_names_are_trimmed_and_said_once():
    given = {"creators": (" Ada ", "", "Ada", "Grace")}
    assert Facts().with_changes(given).creators == ("Ada", "Grace")
