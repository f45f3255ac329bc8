"""Whatever users call things is text in all that every command prints and writes."""

import contextlib
import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt

from crystalvision import console
from crystalvision.cli import main
from crystalvision.datasets import (
    Axis,
    Column,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    defect_columns,
)
from crystalvision.evaluation import load_metrics, read_predictions
from crystalvision.text import inline, one_line, printable

from .hostile import CLASSES, FOLDER, RECIPE, hidden

SIDE = 16


def write_data(path: Path, seed: int = 0) -> Path:
    samples = 6 * len(CLASSES)
    header = DatasetHeader(
        samples=samples,
        image_shape=(1, SIDE, SIDE),
        dtype="uint16",
        columns={
            **defect_columns(CLASSES, np.linspace(0, 0.9, len(CLASSES)).round(3).tolist()),
            "shift": Column(dtype="float32", units="<b>|", description="a|b\n<i>`[l](u)` =1"),
        },
        axes=tuple(Axis(name=name, size=SIDE, scale=0.01, offset=-0.08) for name in ("q_y", "q_x")),
        provenance=Simulated(seed=seed, recipe=RECIPE),
        generator={"=[/]": "\x1b[1m"},
        samples_per_shard=samples,
    )
    labels = np.arange(samples) % len(CLASSES)
    images = np.random.default_rng(seed).poisson(9, (samples, 1, SIDE, SIDE)).astype(np.uint16)
    severity = np.asarray(header.class_severities, dtype=np.float32)[labels]
    columns = {"label": labels, "severity": severity, "shift": np.full(samples, -0.5)}
    with DatasetWriter.open(path, header) as writer:
        writer.write_shard(0, images, columns)
        writer.finish()
    return path


def drive(*arguments: object) -> tuple[int, str, str]:
    """Run a command line in this process; status, stdout and stderr."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        status = main([str(argument) for argument in arguments])
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A dataset and a run of it, in a folder with a hostile name, where the test runs."""
    folder = tmp_path_factory.mktemp("world") / FOLDER
    folder.mkdir(parents=True)
    data = write_data(folder / DATA)
    write_data(folder / "[other].zarr", seed=1)
    steps = [
        ("dataset", "card", data),
        ("train", "single", "-d", data, "-o", folder / "[run]", *TINY),
        ("evaluate", folder / "[run]", "-d", data, "--split", "all", "--resamples", "2"),
        ("dataset", "export", data, "-o", folder / "[png]", "--to", "png", "--scale", "counts"),
    ]
    for step in steps:
        status, out, err = drive(*step)
        assert status == 0, err
        assert not hidden(out + err)
    return folder


TINY = (
    *("--set", "system.branches.classifier.backbone=dnsnet-tiny"),
    *("--set", "input.bin.size=1", "--set", "schedule.classifier.epochs=1"),
)
DATA, RUN, PNG = "=data|[b].zarr", "[run]", "[png]"

COMMANDS = {
    "info": ("dataset", "info", DATA),
    "info as JSON": ("dataset", "info", DATA, "--json"),
    "verify": ("dataset", "verify", DATA),
    "card": ("dataset", "card", DATA),
    "split": ("dataset", "split", DATA),
    "repair": ("dataset", "repair", DATA),
    "merge": ("dataset", "merge", DATA, "[other].zarr", "-o", "[merged].zarr"),
    "import": ("dataset", "import", PNG, "-o", "[back].zarr"),
    "hdf5": ("dataset", "export", DATA, "-o", "[x].h5", "--to", "hdf5"),
    "webdataset": ("dataset", "export", DATA, "-o", "[w]", "--to", "webdataset"),
    "evaluate": ("evaluate", RUN, "-d", DATA, "--name", "=[b]\x1b", "--resamples", "2"),
    "evaluate as JSON": ("evaluate", RUN, "-d", DATA, "--json", "--resamples", "2"),
    "predict": ("predict", RUN, f"{DATA}[0:21]"),
    "predict as JSON": ("predict", RUN, f"{DATA}[0:21]", "--json"),
    "explain": ("predict", RUN, f"{DATA}[2]", "--explain", "--explain-to", "[e]"),
    "report": ("report", RUN, "-o", "[r].html"),
    "train classical": (
        "train",
        "naive-bayes",
        "-d",
        DATA,
        "-o",
        "[nb]",
        "--set",
        "input.bin.size=1",
    ),
    "plugins": ("plugins",),
}
NAMES_ALL = {"info", "evaluate"}


@pytest.fixture
def wide(monkeypatch):
    """A terminal on which no name takes two lines."""
    monkeypatch.setattr(console.out, "width", 4000)
    monkeypatch.setenv("COLUMNS", "4000")


@pytest.fixture
def here(world, monkeypatch):
    monkeypatch.chdir(world)
    return world


@pytest.mark.parametrize("name", ["import", *(name for name in COMMANDS if name != "import")])
def test_a_command_shows_names_as_text(name, here, wide):
    arguments = [
        here / part if (here / part).exists() else part  # so that the folder's name is shown
        for part in COMMANDS[name]
    ]
    status, out, err = drive(*arguments, *(["--overwrite"] if name in {"import", "merge"} else []))
    assert status == 0, err
    assert not hidden(out + err)
    if name in NAMES_ALL:
        assert [each for each in CLASSES if one_line(each).strip() not in out] == []
    if "JSON" in name:
        assert json.loads(out)


def test_a_prediction_is_told_in_csv_that_no_spreadsheet_runs(here):
    status, out, _ = drive("predict", RUN, f"{DATA}[0:21]", "--csv")
    assert status == 0
    rows = list(csv.reader(io.StringIO(out, newline=""), strict=True))
    names = rows[0][2 : 2 + len(CLASSES)]
    assert [name.removeprefix("label_probability_") for name in names] == list(CLASSES)
    assert rows[1][0] == f"'{DATA}[0]"
    assert not any(cell.startswith(tuple("=+@\t\r")) for row in rows for cell in row)


def test_predictions_of_a_run_are_read_back(here):
    folder = next((here / RUN / "evaluations").glob("=data*all"))
    metrics = load_metrics(folder)
    assert metrics.targets["label"].classes == CLASSES
    label = read_predictions(folder, metrics).targets["label"]
    assert label.probabilities.shape == (126, 21)


def test_an_export_is_imported_as_it_was(here, tmp_path):
    status, _, err = drive("dataset", "import", PNG, "-o", tmp_path / "back.zarr")
    assert status == 0, err
    back, data = Dataset.open(tmp_path / "back.zarr"), Dataset.open(DATA)
    assert back.header.class_names == CLASSES
    assert np.array_equal(back.column("label"), data.column("label"))
    assert np.array_equal(back.column("shift"), data.column("shift"))
    assert np.array_equal(back.images(np.arange(21)), data.images(np.arange(21)))


def test_a_table_of_an_export_has_no_formulas_and_numbers_that_are_numbers(here):
    text = (here / PNG / "labels.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert {row["shift"] for row in rows} == {"-0.5"}
    found = {row["class"] for row in rows}
    assert {"'=1+1", "''=1", "'\tx\ry", "-0.5", "[/]"} <= found


def table_of(markdown: str, heading: str) -> list[list[str]]:
    """The cells of the table that has this heading, as a reader sees them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    rows: list[list[str]] = []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and tokens[place - 1].type in {"th_open", "td_open"}:
            rows[-1].append("".join(each.content for each in token.children or ()))
    start = next(place for place, row in enumerate(rows) if heading in row)
    return rows[start + 1 :]


def as_cell(name: str) -> str:
    return " ".join(printable(name).split())


@pytest.mark.parametrize("file", [f"{DATA}/README.md", f"{PNG}/README.md"])
def test_a_readme_has_the_names_and_no_markup_of_theirs(here, file):
    text = (here / file).read_text()
    assert not hidden(text)
    body = text.partition("\n---\n")[2] if text.startswith("---\n") else text
    column = table_of(body, "class")
    names = [as_cell(name) for name in CLASSES]
    assert [next(cell for cell in row if cell in names) for row in column[: len(names)]] == names
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    html = [each for each in tokens if each.type == "html_block"]
    html += [part for each in tokens for part in each.children or () if part.type == "html_inline"]
    assert not any("script" in each.content or "<b>" in each.content for each in html)
    assert "[a](http://b)" not in body.partition("The recipe")[0]


def test_a_card_stays_as_it_is_when_it_is_written_again_and_keeps_its_notes(here):
    card = here / DATA / "README.md"
    card.write_text(f"{card.read_text()}\nmy notes\n")
    before = card.read_text()
    citation = f"@misc{{x}}\n{before.splitlines()[-3]}\nend"
    for _ in range(2):
        assert drive("dataset", "card", DATA, "--citation", citation)[0] == 0
        after = card.read_text()
        assert after.endswith("\n\nmy notes\n")
        assert after.count("my notes") == 1
    assert drive("dataset", "card", DATA, "--citation", "")[0] == 0
    assert card.read_text() == before
    head = before.removeprefix("---\n").partition("\n---\n")[0]
    assert yaml.safe_load(head)["pretty_name"] == RECIPE["name"]


def test_metadata_can_lie_within_a_script(here):
    text = (here / DATA / "croissant.json").read_text()
    assert not hidden(text)
    assert "<" not in text
    assert json.loads(text)["name"] == RECIPE["name"]


class Page(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_has_the_names_as_text(here):
    status, _, err = drive("report", RUN, "-o", "[page].html")
    assert status == 0, err
    content = (here / "[page].html").read_text()
    page = Page()
    page.feed(content)
    assert not hidden(content.replace("\t", ""))
    assert {"script", "b"}.isdisjoint(page.tags)
    text = "".join(page.text)
    assert [name for name in CLASSES if printable(name) not in text] == []
    command = next(line for line in text.splitlines() if line.startswith("crystalvision evaluate"))
    assert "$'" in command  # quoted for a shell, with its control characters as escapes


def test_files_of_classes_stay_in_their_folder(here):
    folders = [path.name for path in (here / PNG / "train").iterdir()]
    assert len({name.casefold() for name in folders}) == len(CLASSES)
    assert not any(name.startswith((".", "-")) or hidden(name) for name in folders)
    assert not (here / PNG / "up").exists()


HOSTILE = [
    *("[/]", "", "  ", ".", "..", "x" * 5000, "a/b", "\x1b[31m", "a\nb", "中", "é" * 300),
    "[red]si3n4-four-classe[/red]",
]


@pytest.mark.parametrize(
    "line",
    [
        ("simulate", "{}", "-o", "o.zarr"),
        ("show", "{}"),
        ("bound", "{}"),
        ("train", "{}", "-d", DATA, "-o", "o"),
        ("train", "single", "-d", "no{}", "-o", "o"),
        ("train", "single", "-d", DATA, "-o", "o", "--set", "{}=1"),
        ("train", "single", "-d", DATA, "-o", "o", "--set", "seed={}"),
        ("benchmark", "{}", "-o", "o"),
        ("plugins", "show", "backbone", "{}"),
        ("plugins", "new", "{}"),
        ("-p", "{}", "plugins"),
        ("-p", "no:{}", "plugins"),
        ("dataset", "info", "no{}"),
        ("dataset", "import", "no{}", "-o", "o.zarr"),
        ("predict", "no{}", DATA),
        ("predict", RUN, "no{}"),
        ("report", "no{}", "-o", "o.html"),
        ("export", "no{}", "--to", "onnx", "-o", "o.onnx"),
        ("{}",),
    ],
    ids=" ".join,
)
def test_a_wrong_name_is_one_line(line, here):
    for value in HOSTILE:
        status, out, err = drive(*(part.format(value) for part in line))
        assert (value, status) in {(value, 1), (value, 2)}
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert not hidden(err)
        assert len(err) < 1600


def test_the_nearest_name_is_still_suggested(here):
    assert (
        "did you mean 'si3n4-four-classes'" in drive("simulate", "si3n4-four-classe", "-o", "o")[2]
    )


def test_inline_text_is_not_longer_than_it_must_be():
    assert inline("25 % vacancies, no_defect (β-Si₃N₄)") == "25 % vacancies, no_defect (β-Si₃N₄)"
