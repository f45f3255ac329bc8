"""Names that are markup, formulas, code or control characters somewhere."""

CLASSES = (
    "[/]",
    "[red]x[/red]",
    "\x1b[31mx\x07\b",
    "<script>alert(1)</script>",
    "a|b`c`",
    "=1+1",
    "$x_1$",
    "a\nb",
    "中😀",
    "\u202eab\u200b",
    "_under_",
    "-0.5",
    "../up",
    "CON",
    "con",
    "&amp; [x](http://y)",
    " edge ",
    "'=1",
    "\tx\ry",
    ":star: {{ 1 }} %s",
    "x" * 300,
)
FOLDER = "-[/] [red]\x1b[31m $x_1$ `id` <b>|\n\u202e中"
"""A folder in which everything lies, so that every path that is shown has it."""

RECIPE = {
    "name": "=[/]|`x` <b>\x1b[31m\n$y",
    "description": (
        "---\n<!-- What you write below this line is kept when the card is written again. -->\n"
        "<script>alert(2)</script>\n# head\n[a](http://b)"
    ),
}


def hidden(text: str) -> set[str]:
    """What a terminal would act upon in a text, beside ends of lines."""
    return {letter for letter in text if not (letter.isprintable() or letter in "\n\xa0")}
