"""The page: one well-formed document, nothing from elsewhere, and true."""

import base64
import io
import re
import shutil
from dataclasses import asdict, replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from crystalvision.datasets import Dataset, Simulated
from crystalvision.report import load_results, render, row_of, steps
from crystalvision.report._gallery import Scale, make_gallery
from crystalvision.runs import train_run
from crystalvision.training import Experiment, load_experiment

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects what tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.texts.append((tag, []))
            self.open.append(self.texts[-1])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, parts in self.open:
            parts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag):
        return [" ".join("".join(parts).split()) for name, parts in self.texts if name == tag]


@pytest.fixture(scope="module")
def html(result):
    return render([result])


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def content(uri, kind):
    head, _, data = uri.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(data)


def figures(page):
    return [each for each in page.all("img") if each["src"].startswith("data:image/svg")]


def test_it_asks_for_nothing_from_elsewhere(page, html):
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base"}
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on")}
        assert "href" not in attributes
        assert attributes.get("src", "data:").startswith("data:")
    assert "url(" not in html
    assert "@import" not in html


def test_sections_come_in_order(page, result):
    assert page.text("h2") == [
        "Comparison",
        "Patterns by class",
        f"Run {result.name}",
        "Metrics by class",
        "How to make it again",
    ]


def test_it_says_what_the_data_is(page, dataset):
    told = page.text("p")[0]
    assert "160 patterns of 1×32×32 values" in told
    assert "seed 0" in told
    parts = [dataset.split(name) for name in ("train", "validation", "test")]
    sizes = [len(part) for part in parts]
    assert f"{sizes[0]} to train, {sizes[1]} for validation, {sizes[2]} for test." in told
    labels = dataset.column("label")
    counts = [np.count_nonzero(labels[part] == 1) for part in parts]
    assert page.text("th")[7] == "pristine"
    assert page.text("td")[5:10] == ["0.3", "40", *map(str, counts)]


def test_the_comparison_has_the_numbers_of_the_evaluation(page, result):
    metrics = result.metrics
    cells = {
        attributes["data-label"]: text
        for attributes, text in zip(page.all("td"), page.text("td"), strict=True)
        if "data-label" in attributes
    }
    assert cells["patterns judged"] == str(metrics.samples)
    label, severity = metrics.targets["label"], metrics.targets["severity"]
    numbers = {
        "accuracy": label["accuracy"],
        "macro F1": label["macro_f1"],
        "quadratic kappa": label["quadratic_kappa"],
        "calibration error": label["expected_calibration_error"],
        "severity MAE": severity["mae"],
    }
    assert label.intervals.of("expected_calibration_error") is None
    ends = [label.intervals.of(name) for name in ("accuracy", "macro_f1", "quadratic_kappa")]
    intervals = [each for each in (*ends, severity.intervals.of("mae")) if each]
    assert len(intervals) >= 2  # some may have none
    assert {f"{low:.3f}–{high:.3f}" for low, high in intervals} <= set(page.text("span"))
    for name, number in numbers.items():
        assert cells[name].startswith(f"{number:.3f}"), name
    assert cells["parameters"] == f"{result.parameters:,}"
    low, high = row_of(result).intervals["label.accuracy"]
    assert low <= label["accuracy"] <= high


def test_every_figure_is_svg_with_a_description(page, result):
    shown = figures(page)
    assert len(shown) == 5 + len(result.record.phases)
    for each in shown:
        root = ElementTree.fromstring(content(each["src"], "image/svg+xml"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(each["alt"]) > 20
        assert int(each["width"]) > 0
        assert int(each["height"]) > 0
    told = " ".join(each["alt"] for each in shown)
    for text in ("Confusion matrix", "ROC curves", "Bland–Altman", "true severity"):
        assert text in told


def test_the_gallery_shows_the_test_split_and_the_means(page, dataset):
    pictures = [each for each in page.all("img") if each["src"].startswith("data:image/png")]
    assert len(pictures) == 4 * (5 + 1)
    test = dataset.split("test")
    labels = dataset.column("label")
    names = dataset.header.class_names
    for each in pictures:
        image = Image.open(io.BytesIO(content(each["src"], "image/png")))
        assert image.size == (32, 32)
        found = re.fullmatch(r"Pattern of sample (\d+), class (\w+)", each["alt"])
        if found:
            assert int(found[1]) in test
            assert names[labels[int(found[1])]] == found[2]


def test_pictures_are_the_patterns(dataset):
    gallery = make_gallery(dataset)
    first = gallery.rows[2].patterns[0]
    image = Image.open(io.BytesIO(content(first.uri, "image/png")))
    counts = dataset.images([first.index])[0, 0].astype(float)
    expected = np.log1p(counts / gallery.scale.knee) / np.log1p(
        gallery.scale.top / gallery.scale.knee
    )
    assert np.allclose(np.asarray(image) / 255, np.clip(expected, 0, 1), atol=0.003)
    mean = Image.open(io.BytesIO(content(gallery.rows[2].mean.uri, "image/png")))
    rows = dataset.split("test")
    rows = rows[dataset.column("label")[rows] == 2]
    expected = gallery.mean_scale(dataset.images(rows)[:, 0].mean(axis=0))
    assert np.allclose(np.asarray(mean) / 255, expected, atol=0.003)


def test_the_scale_bar_is_as_long_as_it_says(dataset):
    bar = make_gallery(dataset).bar
    width = dataset.header.axes[1].scale * 32  # 0.4 1/Å
    assert bar.text == "0.1 Å⁻¹"
    assert bar.percent == pytest.approx(100 * 0.1 / width)


def test_large_patterns_are_binned(make_dataset, tmp_path):
    large = Dataset.open(make_dataset(tmp_path / "large.zarr", samples=16, size=260))
    gallery = make_gallery(large)
    assert (gallery.bin, gallery.width, gallery.height) == (2, 130, 130)
    image = Image.open(io.BytesIO(content(gallery.rows[0].patterns[0].uri, "image/png")))
    assert image.size == (130, 130)


def test_ticks_lie_on_the_scale():
    scale = Scale(knee=1.0, top=200.0)
    assert [text for _, text in scale.ticks] == ["0", "1", "10", "100"]
    assert scale.ticks[0][0] == 0
    assert scale.ticks[-1][0] == pytest.approx(100 * np.log(101) / np.log(201))


def test_it_is_the_same_again(html, result):
    assert render([result]) == html


def test_it_tells_how_the_work_proceeds(result):
    count = []
    render([result], on_step=lambda: count.append(1))
    assert len(count) == steps([result]) == 2


def test_two_trainings_with_one_seed_make_one_table(make_experiment, dataset, catalogue, tmp_path):
    from crystalvision.evaluation import evaluate, save

    described = make_experiment()
    branches = {"classifier": described["system"]["branches"]["classifier"]}
    phase = {**described["schedule"][0], "epochs": 1}
    experiment = Experiment.model_validate(
        {"system": {"branches": branches}, "input": "none", "schedule": [phase]}
    )
    rows = []
    for place in ("a", "b"):
        path = tmp_path / place / "single"
        save(evaluate(train_run(experiment, dataset, path, catalogue=catalogue), dataset), path)
        row = asdict(row_of(load_results([path], catalogue)[0]))
        for timing in ("images_per_second", "training_seconds", "path"):
            del row[timing]
        rows.append(row)
    assert rows[0] == rows[1]


def test_the_experiment_on_the_page_is_the_experiment(page, result, tmp_path, catalogue):
    text = next(each for tag, each in page.texts if tag == "pre" and "".join(each)[:7] == "system:")
    path = tmp_path / "again.yaml"
    path.write_text("".join(text))
    assert load_experiment(str(path), catalogue) == result.record.experiment


def with_recipe(result, **recipe):
    dataset = result.record.dataset.model_copy(
        update={"provenance": Simulated(seed=0, recipe=recipe)}
    )
    record = result.record.model_copy(update={"dataset": dataset})
    return replace(result, record=record)


def test_the_recipe_is_on_the_page_and_its_description_is_told(result):
    recipe = {
        "name": "rings",
        "description": "Rings of light",
        "instrument": {"dose_electrons": 1e4},
        "structure_sha256": "0" * 64,
    }
    page = Page(render([with_recipe(result, **recipe)]))
    told = page.text("p")[0]
    assert "Rings of light. 160 patterns" in told
    assert "10,000 electrons a pattern" in told
    assert recipe in [yaml.safe_load("".join(each)) for tag, each in page.texts if tag == "pre"]


def test_commands_are_told(page, result):
    commands = page.text("pre")[-1]
    assert f"crystalvision train fused.yaml -d {result.record.dataset.path} -o" in commands
    assert "no command makes it again" in commands


def moved(result, path):
    dataset = result.record.dataset.model_copy(update={"path": str(path)})
    return replace(result, record=result.record.model_copy(update={"dataset": dataset}))


def test_a_dataset_that_is_gone_is_told(result, tmp_path):
    page = Page(render([moved(result, tmp_path / "gone.zarr")]))
    assert "gone.zarr: no such dataset" in " ".join(page.text("p"))
    assert not [each for each in page.all("img") if each["src"].startswith("data:image/png")]
    assert len(figures(page)) == 5 + len(result.record.phases)
    assert "vacancies_25" in page.text("th")


def test_another_dataset_in_its_place_is_told(result, other_dataset_path):
    page = Page(render([moved(result, other_dataset_path)]))
    assert "another dataset is there now" in " ".join(page.text("p"))


def test_names_that_look_like_markup_are_text(result, tmp_path):
    names = ("<b>no</b>", "$x^$", "a & b", 'qu"ote')
    gone = with_recipe(moved(result, tmp_path / "no.zarr"), name="<script>alert(1)</script>")
    label = result.metrics.targets["label"]
    renamed = {
        name: dict(zip(names, value.values(), strict=True)) if isinstance(value, dict) else value
        for name, value in label.metrics.items()
    }
    known = label.target.model_copy(update={"classes": names})
    told = label.model_copy(update={"classes": names, "metrics": renamed})
    judged = replace(result.judged.targets["label"], target=known, group_names=names)
    strange = replace(
        gone,
        record=gone.record.model_copy(update={"targets": {"label": known}}),
        metrics=gone.metrics.model_copy(update={"targets": {"label": told}}),
        judged=replace(gone.judged, targets={"label": judged}),
    )
    page = Page(render([strange]))
    assert not page.all("script")
    assert not page.all("b")
    assert page.text("title") == ["CrystalVision report: <script>alert(1)</script>"]
    assert set(names) <= set(page.text("th"))


def judged_on(result, **changes):
    return replace(result, name="other", metrics=result.metrics.model_copy(update=changes))


def test_runs_judged_on_different_patterns_are_told_above_the_table(result):
    other = judged_on(result, dataset="b.zarr", dataset_identity="1" * 64, split="all")
    html = render([result, other])
    warning = html.index("were not judged on the same patterns")
    assert warning < html.index('<table class="comparison">')
    assert "other on" in html[warning : warning + 800]


def test_runs_judged_on_the_same_patterns_are_not_warned_of(result):
    html = render([result, judged_on(result)])
    assert "not judged on the same patterns" not in html
    assert Page(html).text("h2")[2:4] == ["Run fused", "Run other"]


def test_two_datasets_are_both_shown(result, evaluated, other_dataset_path, catalogue, tmp_path):
    from crystalvision.evaluation import evaluate, save

    data = Dataset.open(other_dataset_path)
    second = tmp_path / "second"
    experiment = result.record.experiment
    save(evaluate(train_run(experiment, data, second, catalogue=catalogue), data), second)
    shutil.rmtree(evaluated)
    page = Page(render([result, load_results([second], catalogue)[0]]))
    assert len([each for each in page.all("img") if "Mean pattern" in each["alt"]]) == 8
    assert page.text("pre")[-1].count("no command makes it again") == 2


def test_of_many_classes_the_first_are_shown_and_the_rest_counted(result, monkeypatch):
    for room in ("_page", "_gallery"):
        monkeypatch.setattr(f"crystalvision.report.{room}.MOST_CLASSES", 2)
    page = Page(render([result]))
    names = result.record.class_names
    said = " ".join(page.text("p"))
    assert len(names) > 2
    assert f"The first 2 of {len(names)} classes." in said
    assert f"The first 2 of {len(names)} classes; all are in metrics.json." in said
    assert "The first patterns of the first 2 classes" in said
    shown = [name for name in names if any(each.startswith(name) for each in page.text("h3"))]
    assert shown == [*names[:2]]
    assert set(page.text("th")) & set(names) == set(names[:2])
