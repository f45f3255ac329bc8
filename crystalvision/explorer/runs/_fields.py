"""Fields of the page "Runs" in place of the options that a command has for the same."""

_FIELDS = (
    ("--pixel-size-inv-angstrom and --centre", "'pixel size [1/Å]' on this page"),
    ("--pixel-size-inv-angstrom", "pixel size [1/Å]"),
    ("leave the option out", "leave it empty"),
    ("use --uncertainty ensemble", "choose several runs"),
)


def in_fields(text: str) -> str:
    """What an error says, with the page's fields in place of options of a command."""
    for option, field in _FIELDS:
        text = text.replace(option, field)
    return text
