"""What is printed of very many classes can be read."""

from types import SimpleNamespace

from rich.console import Console

from crystalvision.cli.evaluate import _matrices


def printed(classes, rows):
    evaluated = SimpleNamespace(classes=classes, metrics={"confusion": rows, "accuracy": 0.5})
    console = Console(width=100)
    with console.capture() as shown:
        for table in _matrices(evaluated):
            console.print(table)
    return shown.get()


def test_of_very_many_classes_the_most_frequent_mistakes_are_told():
    count = 300
    rows = [[5 * (row == column) for column in range(count)] for row in range(count)]
    rows[12][250], rows[99][3] = 7, 2
    lines = [" ".join(line.split()) for line in printed(names(count), rows).splitlines()]
    assert "2 of 2 kinds of mistakes among 300 classes" in " ".join(lines)
    assert lines[-2:] == ["phase 12 phase 250 7", "phase 99 phase 3 2"]
    assert len(lines) < 8


def names(count):
    return tuple(f"phase {k}" for k in range(count))


def test_of_few_classes_the_whole_matrix_is_told():
    lines = [" ".join(line.split()) for line in printed(("a", "b"), [[3, 1], [0, 4]]).splitlines()]
    assert lines[-3:] == ["a b", "a 3 1", "b 0 4"]
