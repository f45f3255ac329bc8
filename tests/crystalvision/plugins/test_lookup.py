"""Finding things by kind and name."""

from pathlib import Path

import pytest

from crystalvision.errors import InputError

BACKBONE = """
    from crystalvision import hookimpl

    def make(in_channels):
        "A network."

    @hookimpl
    def crystalvision_backbones():
        return {NAMES}
"""


def backbones(*names: str) -> str:
    return BACKBONE.replace("NAMES", ", ".join(f'"{name}": make' for name in names))


def test_an_unknown_name_gives_the_nearest_and_the_choices(stranger, strangers):
    stranger("acme-nets", acme=backbones("foonet", "barnet"))
    with pytest.raises(
        InputError,
        match=r"^no backbone is called 'fonet'; did you mean 'foonet'\? there are: barnet, foonet$",
    ):
        strangers().entry("backbone", "fonet")


def test_an_unknown_name_where_there_is_nothing(strangers):
    with pytest.raises(InputError, match=r"^no head is called 'softmax'; there are: none$"):
        strangers().entry("head", "softmax")


def test_an_unknown_name_mentions_what_did_not_load(stranger, strangers):
    stranger("acme-nets", acme="import a_module_that_is_not_there")
    with pytest.raises(InputError, match=r"perhaps its home: acme \(see crystalvision plugins\)"):
        strangers().entry("backbone", "foonet")


def test_an_unknown_kind_lists_the_kinds(strangers):
    with pytest.raises(InputError, match=r"^no kind of plugin is called 'net'; kinds: .*backbone"):
        strangers().entry("net", "foonet")


def test_two_distributions_with_one_name_are_told_apart_by_distribution(stranger, strangers):
    stranger("acme-nets", version="2.0", acme=backbones("foonet"))
    stranger("zeta-nets", version="3.1", zeta=backbones("foonet", "other"))
    catalogue = strangers()
    with pytest.raises(InputError) as caught:
        catalogue.entry("backbone", "foonet")
    assert str(caught.value) == (
        "backbone 'foonet' is offered by acme-nets 2.0 and zeta-nets 3.1: "
        "write 'acme-nets:foonet' or 'zeta-nets:foonet'"
    )
    assert catalogue.entry("backbone", "zeta-nets:foonet").plugin.distribution == "zeta-nets"
    assert catalogue.entry("backbone", "acme-nets:foonet").plugin.version == "2.0"
    assert catalogue.names("backbone") == ["acme-nets:foonet", "zeta-nets:foonet", "other"]


def test_a_qualified_name_works_where_none_is_needed(stranger, strangers):
    stranger("acme-nets", acme=backbones("foonet"))
    assert strangers().entry("backbone", "acme-nets:foonet").name == "foonet"


def test_one_distribution_that_offers_a_name_twice_is_settled_by_leaving_one_out(
    stranger, strangers
):
    stranger("acme-nets", first=backbones("foonet"), second=backbones("foonet"))
    with pytest.raises(InputError, match=r"leave one out: -p no:first or -p no:second$"):
        strangers().entry("backbone", "foonet")
    assert strangers("no:first").entry("backbone", "foonet").plugin.name == "second"


def test_a_shipped_file_is_found_by_name(stranger, strangers, tmp_path):
    recipe = tmp_path / "salt.yaml"
    recipe.write_text("# Salt with holes.\nsamples: 3\n")
    source = """
        from pathlib import Path
        from crystalvision import hookimpl

        @hookimpl
        def crystalvision_recipes():
            return {"salt": Path(PATH), "gone": Path(PATH + ".gone")}
    """
    stranger("acme-recipes", acme=source.replace("PATH", repr(str(recipe))))
    catalogue = strangers()
    assert catalogue.path("recipe", "salt") == recipe
    assert catalogue.entry("recipe", "salt").summary() == "Salt with holes."
    with pytest.raises(InputError, match="no recipe is called 'sallt'; did you mean 'salt'"):
        catalogue.path("recipe", "sallt")
    assert isinstance(catalogue.path("recipe", "gone"), Path)
