"""`crystalvision plugins` and `crystalvision plugins show`."""

import json

import pytest
import torch

import crystalvision

PLUGIN = '''
    from crystalvision import hookimpl

    def salt(a_angstrom: float = 5.64, *, element: str):
        """Rock salt, as it is mined.

        It is a cubic
        crystal.

        Args:
            a_angstrom: Side of the cell [Å],
                as measured.
            element: The cation.

        Returns:
            element: not an option.
        """

    def odd():
        pass

    @hookimpl
    def crystalvision_structures():
        return {"salt": salt, "odd": odd, "lost": "nowhere:lost"}
'''

BACKBONE = """
    import torch
    from crystalvision import hookimpl
    from crystalvision.contracts import Backbone

    class Conv(Backbone):
        "One convolution."

        def __init__(self, in_channels: int, width: int = 8) -> None:
            super().__init__()
            self.num_features, self.stride = width, 2
            self.conv = torch.nn.Conv2d(in_channels, width, 2, stride=2, bias=False)

        def forward(self, images):
            return self.conv(images)

    @hookimpl
    def crystalvision_backbones():
        return {"conv": Conv}
"""


@pytest.fixture
def salt(stranger):
    stranger("salt-mine", version="2.1", salt_plugin=PLUGIN)


def test_the_list_fits_80_columns_and_names_the_distribution(run, salt):
    outcome = run("plugins")
    assert outcome.status == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    (line,) = [line for line in outcome.out.splitlines() if "Rock salt" in line]
    assert line.split()[:3] == ["salt", "salt-mine", "2.1"]


def test_the_list_shows_what_is_broken_and_why(run, salt, stranger):
    stranger("bad-nets", bad="import a_module_that_is_not_there")
    outcome = run("plugins")
    assert outcome.status == 0
    text = " ".join(outcome.out.split())
    assert "structure 'lost' of salt-mine 2.1 cannot be loaded from 'nowhere:lost'" in text
    assert "bad of bad-nets 1.0: ModuleNotFoundError: No module named" in text


def test_the_list_as_json(run, salt, stranger):
    stranger("bad-nets", bad="import a_module_that_is_not_there")
    told = json.loads(run("plugins", "--json").out)
    by_name = {row["name"]: row for row in told["plugins"]}
    assert by_name["salt"] == {
        "kind": "structure",
        "name": "salt",
        "distribution": "salt-mine",
        "version": "2.1",
        "plugin": "salt_plugin",
        "summary": "Rock salt, as it is mined.",
        "error": "",
    }
    assert "nowhere" in by_name["lost"]["error"]
    (failure,) = [row for row in told["failures"] if row["distribution"] == "bad-nets"]
    assert failure["error"].startswith("ModuleNotFoundError")


def test_ours_are_listed_whole(run):
    told = json.loads(run("plugins", "--json").out)
    assert told["failures"] == []
    assert [row["error"] for row in told["plugins"] if row["error"]] == []
    assert {row["kind"] for row in told["plugins"]} >= {"structure", "defect", "backbone", "fusion"}
    assert {row["version"] for row in told["plugins"]} == {crystalvision.__version__}
    assert [row["name"] for row in told["plugins"] if not row["summary"]] == []


def test_show_gives_the_options_with_their_documentation(run, salt):
    outcome = run("plugins", "show", "structure", "salt")
    lines = [line.rstrip() for line in outcome.out.splitlines()]
    assert lines[0] == "structure 'salt'  from salt-mine 2.1"
    assert "It is a cubic crystal." in lines
    (line,) = [line for line in lines if line.startswith("a_angstrom")]
    assert line.split(maxsplit=3)[1:] == ["float", "5.64", "Side of the cell [Å], as measured."]
    (line,) = [line for line in lines if line.startswith("element")]
    assert line.split(maxsplit=3)[1:] == ["str", "required", "The cation."]


def test_show_as_json(run, salt):
    told = json.loads(run("plugins", "show", "structure", "salt", "--json").out)
    assert told["options"][0] == {
        "name": "a_angstrom",
        "type": "float",
        "required": False,
        "default": 5.64,
        "description": "Side of the cell [Å], as measured.",
    }


def test_show_says_when_there_is_nothing_to_say(run, salt):
    outcome = run("plugins", "show", "structure", "odd")
    assert "It has no documentation." in outcome.out
    assert "It has no options." in outcome.out


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["bakcbone", "dnsnet"], 2, "error: no kind of plugin is called 'bakcbone'; kinds: "),
        (["structure", "sallt"], 2, "error: no structure is called 'sallt'; did you mean 'salt'?"),
        (["structure", "lost"], 1, "error: structure 'lost' of salt-mine 2.1 cannot be loaded"),
        (
            ["structure", "salt", "--set", "elment=K"],
            2,
            "error: structure 'salt' has no option 'elment'; did you mean 'element'?",
        ),
    ],
)
def test_show_of_what_is_not_there(run, salt, arguments, status, error):
    outcome = run("plugins", "show", *arguments)
    assert outcome.status == status
    assert outcome.err.startswith(error)
    assert outcome.err.count("\n") == 1


def test_show_of_a_backbone_measures_it(run, stranger):
    stranger("acme-nets", acme_nets=BACKBONE)
    line = ["plugins", "show", "backbone", "conv", "--size", "64", "--channels", "3"]
    told = json.loads(run(*line, "--set", "width=16", "--json").out)
    assert told["parameters"] == 3 * 16 * 2 * 2
    assert told["stride"] == 2
    assert told["features"] == 16
    assert told["flops"] == 2 * 32 * 32 * 3 * 16 * 2 * 2  # a multiplication and an addition each
    text = run(*line).out
    assert "parameters" in text
    assert f"{3 * 8 * 2 * 2}" in text
    assert "3×64×64" in text


@pytest.mark.slow  # ten seconds; run by CI
def test_show_measures_memory_and_speed_and_says_how(run, stranger):
    stranger("acme-nets", acme_nets=BACKBONE)
    line = ["plugins", "show", "backbone", "conv", "--size", "32"]
    measured = json.loads(run(*line, "--batch", "2", "--json").out)["measured"]
    assert (measured["device"], measured["batch"]) == ("cpu", 2)
    assert 0 < measured["peak_training_mib"] < 1
    assert measured["training_images_per_s"] > 0
    text = " ".join(run(*line).out.split())
    assert "images/s" in text
    assert "Measured on the CPU, " in text
    assert "in batches of 1 image, float32." in text
    assert "measured" not in json.loads(run(*line, "--no-measure", "--json").out)


def test_show_says_why_a_backbone_cannot_be_measured(run):
    outcome = run("plugins", "show", "backbone", "dnsnet-small", "--size", "32")
    assert outcome.status == 0
    text = " ".join(outcome.out.split())
    assert "could not be measured with a batch of 1 image: " in text
    if not torch.cuda.is_available():
        outcome = run("plugins", "show", "backbone", "dnsnet-tiny", "--device", "cuda")
        assert outcome.status == 2
        assert "--device cuda: torch finds no CUDA device here" in outcome.err


def test_meanings_are_shown_as_they_are_written(run, stranger):
    source = """
        from crystalvision import hookimpl

        def salt(side: int = 3):
            '''Salt.

            Args:
                side: Its side [points].
            '''

        @hookimpl
        def crystalvision_structures():
            return {"salt": salt}
    """
    stranger("salt-mine", salt_plugin=source)
    assert "Its side [points]." in run("plugins", "show", "structure", "salt").out


def test_show_of_a_file_and_of_a_command(run, tmp_path, stranger):
    path = tmp_path / "salt.yaml"
    path.write_text("# Salt with holes.\nsamples: 3\n")
    source = f"""
        from pathlib import Path
        from crystalvision import hookimpl

        def polish():
            "Polish a crystal."

        @hookimpl
        def crystalvision_recipes():
            return {{"salt": Path({str(path)!r})}}

        @hookimpl
        def crystalvision_commands():
            return {{"polish": polish}}
    """
    stranger("salt-mine", salt_plugin=source)
    shown = run("plugins", "show", "recipe", "salt").out
    assert str(path) in shown
    assert "samples: 3" in shown
    shown = run("plugins", "show", "command", "polish").out
    assert "Polish a crystal." in shown
    assert "crystalvision polish --help" in shown
