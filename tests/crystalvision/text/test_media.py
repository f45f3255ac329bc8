"""Text that a user chose stays text in each medium, and comes back where it is read again."""

import csv
import io
import json
import re
import subprocess
import warnings

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from crystalvision.errors import InputError
from crystalvision.text import (
    code,
    command_line,
    csv_reader,
    csv_writer,
    fenced,
    figure_text,
    file_names,
    inline,
    json_text,
    one_line,
    paragraphs,
    printable,
    protect,
    quoted,
    restore,
)
from crystalvision.yaml_text import dump_yaml

HIDDEN = ["\x1b[31m", "\x07", "\r", "\b", "\u202e", "\u200b", "\x85", "\x9b1m", "\udce9", "\u2028"]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Hypothesis seldom draws what spreadsheets read.
cells = st.one_of(
    texts, st.from_regex(r"[ ']{0,3}[=+\-@\t\r\n']{1,3}[\w.]{0,5}", fullmatch=True), texts
)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_does_not_show_is_escaped_and_nothing_else(hidden):
    assert printable(f"é中 😀{hidden}x\ny") == f"é中 😀{ascii(hidden)[1:-1]}x\ny"
    assert one_line("a\nb\tc") == "a\\nb\\tc"


@given(texts)
def test_a_line_is_a_line_and_shows(text):
    assert len(one_line(text).splitlines()) <= 1
    assert all(letter.isprintable() or letter.isspace() for letter in one_line(text))
    assert one_line(one_line(text)) == one_line(text)


def test_an_error_quotes_any_value_on_one_line_of_bearable_length():
    text = str(InputError(f"name={'x' * 5000}: \x1b[31mred\nis not {quoted('y' * 5000)}"))
    assert text.startswith("name=xxx")
    assert "\\x1b[31mred\\nis not 'yyy" in text
    assert len(text) < 450
    assert len(str(InputError("a " * 5000))) <= 1500


@given(cells)
def test_a_cell_is_no_formula_and_gives_its_text_back(text):
    protected = protect(text)
    assert restore(protected) == text
    assert protected[:1] not in {*"=+-@\t\r\n"}


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@x", "\t=1", "\r=1", " =1", "＝1"])
def test_a_formula_gets_an_apostrophe(text):
    assert protect(text) == f"'{text}"


@given(st.lists(st.lists(cells, min_size=2, max_size=3), min_size=1, max_size=3))
def test_a_table_gives_its_cells_back(rows):
    file = io.StringIO(newline="")
    csv_writer(file).writerows(rows)
    assert list(csv_reader(io.StringIO(file.getvalue(), newline=""), strict=True)) == rows


def test_numbers_of_a_table_stay_numbers():
    file = io.StringIO(newline="")
    csv_writer(file).writerow([-0.5, "-0.5", "+1e-5", -3, None, "-x"])
    assert file.getvalue() == "-0.5,-0.5,+1e-5,-3,,'-x\n"
    assert next(csv.reader([file.getvalue()]))[5] == "'-x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("<script>", "&lt;script&gt;"),
        ("[x](http://y)", r"[x\](http://y)"),
        ("![x](y)", r"![x\](y)"),
        ("`c` *b* _e_ ~s~ $m$", r"\`c\` \*b\* \_e\_ \~s\~ \$m\$"),
        ("snake_case & co", "snake_case & co"),
        ("x [1/Å], y", "x [1/Å], y"),
        ("[/]", r"[/\]"),
        ("&lt;", r"\&lt;"),
        ("a\\|b\\", r"a\\\|b" + "\\\\"),
        ("a\n\n# b", r"a \# b"),
        ("\x1b[0m", r"\x1b[0m"),
    ],
)
def test_markdown_takes_text_for_text(text, expected):
    assert inline(text) == expected


def test_paragraphs_hold_no_blocks():
    text = paragraphs("---\n- a\n1. b\n> c\n    code\n\n\n\n```\n===\n+ d\n# e")
    assert text == ("\\---\n\\- a\n1\\. b\n&gt; c\ncode\n\n\\`\\`\\`\n\\===\n\\+ d\n\\# e")


def test_code_in_markdown_ends_where_its_text_does():
    assert code("a``b|") == "```a``b\\|```"
    assert code("`") == "`` ` ``"
    assert fenced("```\nx") == "````\n```\nx\n````"


@given(st.lists(texts, min_size=1, max_size=6))
def test_files_of_names_lie_where_they_should_and_differ(names):
    found = file_names([*names, "CON", "con", "..", "-x", "a/b", "a:b", "é" * 300], "class")
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert re.fullmatch(r"[^/\\\x00-\x1f<>:\"|?*]+", name)
        assert name[0] not in ".-~"
        assert name.casefold() not in {"con", "nul", "aux"}
        assert len(name.encode()) < 200


def test_a_name_that_files_can_have_is_kept():
    assert file_names(["25 % vacancies", "no_defect", "Å"], "class") == [
        "25 % vacancies",
        "no_defect",
        "Å",
    ]


@pytest.mark.parametrize("value", ["a b", "$x", "a\nb", "\x1b[31m'\\", "é😀", "-x", "\u202e`id`"])
def test_a_command_reaches_the_program_as_it_was(value):
    done = subprocess.run(
        ["bash", "-c", command_line("printf", "%s", value)], capture_output=True, check=True
    )
    assert done.stdout.decode() == value
    assert command_line("printf", value).isprintable()


@given(st.dictionaries(texts, st.one_of(texts, st.integers(), st.none()), max_size=3))
def test_documents_mean_the_same_and_hide_nothing(value):
    for read, text in ((yaml.safe_load, dump_yaml(value)), (json.loads, json_text(value))):
        assert read(text) == value
        assert text.replace("\n", "").isprintable()
    assert "<" not in json_text(value)


@pytest.mark.parametrize("text", ["$x_1$", "$", "😀中", "_x", "\x1b\n", "x" * 5000, "שלום"])
def test_figures_draw_any_name(text):
    from matplotlib.figure import Figure

    from crystalvision.figures import drawing, new_figure, wrapped

    with drawing(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, (axes,) = new_figure()
        assert isinstance(figure, Figure)
        axes.plot([0, 1], [0, 1], label=figure_text(text))
        axes.set_yticks([0], [wrapped(text)])
        legend = figure.legend(loc="outside lower center")
        figure.savefig(io.BytesIO(), format="svg")
    assert [each.get_text() for each in legend.get_texts()] == [figure_text(text)]


def test_figures_write_what_their_font_lacks_as_escapes():
    assert figure_text("é中$x_1$\n") == "é\\u4e2d$x_1$\\n"
