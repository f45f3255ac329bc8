"""What the explorer is started with, and what it says where something is missing."""

import importlib.util

import pytest

pytest.importorskip("panel", reason="the explorer needs the extra `explore`")

from bokeh.document import Document
from panel.io.state import set_curdoc

import crystalvision as cv
from crystalvision.api.session import Session
from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.explorer._shell import page_document
from crystalvision.explorer.pages import PAGES
from crystalvision.explorer.start import explore
from crystalvision.plugins import KINDS, Catalogue, PluginInfo


def test_recipes_datasets_runs_and_benchmarks_are_told_apart(tmp_path):
    for name, inside in {"data.zarr": "zarr.json", "run": "run.yaml"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / inside).write_text("")
    (tmp_path / "mine.yaml").write_text("name: mine\nclasses: []")
    given = ["si3n4-four-classes", *(tmp_path / name for name in ("data.zarr", "run", "mine.yaml"))]
    opened = cv.explore(*given).workspace.opened
    assert opened.recipes == ("si3n4-four-classes", str(tmp_path / "mine.yaml"))
    assert opened.datasets == (tmp_path / "data.zarr",)
    assert opened.runs == (tmp_path / "run",)


def test_what_is_none_of_them_is_refused(tmp_path, capsys):
    with pytest.raises(InputError, match=r"nothing: there is no such thing; expected a recipe"):
        cv.explore("nothing")
    assert main(["explore", str(tmp_path)]) == 2
    assert "holds none of them" in " ".join(capsys.readouterr().err.split())


def test_a_recipe_of_a_source_without_a_bench_is_told_before_any_page_opens(tmp_path):
    kind, who = KINDS["source"], PluginInfo("stranger", "stranger", "1")
    catalogue = Catalogue.load().with_parts([(kind, who, {"curves": lambda spec: None})])
    (tmp_path / "curves.yaml").write_text("source: curves\npoints: 9")
    path = str(tmp_path / "curves.yaml")
    with pytest.raises(
        InputError, match=r"'curves' has no bench .* simulate .*curves\.yaml"
    ) as told:
        explore(path, session=Session(catalogue))
    assert "\n" not in str(told.value)


def test_without_panel_it_says_what_to_install(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name == "panel" else find(name, *more),
    )
    assert main(["explore"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "explore needs panel; install with: pip install 'crystalvision[explore]'" in said


def test_a_port_that_is_taken_is_told(capsys):
    server = cv.explore().server(0)
    try:
        assert main(["explore", "--no-browser", "--port", str(server.port)]) == 2
        assert f"--port {server.port}: Address already in use" in " ".join(
            capsys.readouterr().err.split()
        )
    finally:
        server.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_that_is_made_for_a_socket_alone_takes_its_styles_from_here(page):
    """As when its tab takes longer to load than what was made for it is kept."""
    document = Document()
    with set_curdoc(document):
        template = page_document(page, PAGES, cv.explore().workspace)
        template.server_doc(doc=document)
    urls = {str(model.url) for model in document.models if "url" in model.properties()}
    assert urls
    assert all(url.startswith("static/") for url in urls), urls
