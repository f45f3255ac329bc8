"""An entry that stands for many, chosen among by its option `model`: `family:member`."""

import pytest

from crystalvision.errors import InputError

ZOO = """
    from crystalvision import hookimpl
    from crystalvision.errors import InputError

    class Net:
        num_features = 8
        stride = 4

        def __init__(self, got):
            self.got = got

        def forward(self, images):
            return images

    def zoo(model: str, in_channels: int, *, width: int = 3):
        "Any animal."
        if model != "bear":
            raise InputError(f"zoo has no model '{model}'; did you mean 'bear'?")
        return Net((model, in_channels, width))

    def plain(in_channels: int):
        "No family."
        return Net(())

    @hookimpl
    def crystalvision_backbones():
        return {"zoo": zoo, "plain": plain}
"""


@pytest.fixture
def catalogue(stranger, strangers):
    stranger("acme-nets", acme=ZOO)
    return strangers()


@pytest.mark.parametrize("name", ["zoo:bear", "acme-nets:zoo:bear"])
def test_a_member_is_the_family_with_its_option_bound(catalogue, name):
    assert catalogue.create("backbone", name, {"width": "5"}, in_channels=2).got == ("bear", 2, 5)
    assert catalogue.create("backbone", "zoo", {"model": "bear"}, in_channels=2).got[0] == "bear"
    entry = catalogue.entry("backbone", name)
    assert (entry.name, entry.summary()) == ("zoo:bear", "Any animal.")
    assert entry.qualified_name == "acme-nets:zoo:bear"
    assert [str(option) for option in entry.options()] == ["model='bear'", "width=3"]


def test_the_list_has_families_alone(catalogue):
    assert catalogue.names("backbone") == ["plain", "zoo"]


def test_an_unknown_member_is_refused_by_the_family(catalogue):
    with pytest.raises(InputError, match=r"^zoo has no model 'boar'; did you mean 'bear'\?$"):
        catalogue.create("backbone", "zoo:boar", in_channels=1)


@pytest.mark.parametrize("name", ["plain:bear", "zoo:", ":bear", "zo:bear", "zoo:bear:cub"])
def test_what_is_no_family_has_no_members(catalogue, name):
    with pytest.raises(InputError, match=f"^no backbone is called '{name}'"):
        catalogue.entry("backbone", name)


def test_a_distribution_of_that_name_goes_first(stranger, strangers):
    stranger("acme-nets", acme=ZOO)
    stranger("zoo", other=ZOO.replace('"zoo": zoo', '"bear": plain'))
    catalogue = strangers()
    assert catalogue.entry("backbone", "zoo:bear").plugin.distribution == "zoo"
    with pytest.raises(InputError, match=r"^no backbone is called 'zoo:wolf'"):
        catalogue.entry("backbone", "zoo:wolf")
    assert catalogue.entry("backbone", "acme-nets:zoo:bear").plugin.distribution == "acme-nets"


def test_a_family_that_cannot_be_told_is_said_to_be_several(stranger, strangers):
    stranger("acme-nets", acme=ZOO)
    stranger("zeta-nets", zeta=ZOO)
    with pytest.raises(InputError, match="write 'acme-nets:zoo' or 'zeta-nets:zoo'"):
        strangers().entry("backbone", "zoo:bear")
