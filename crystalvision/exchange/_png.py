"""PNG files in folders by split and class, as torchvision's `ImageFolder` reads them."""

from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.datasets import SPLIT_NAMES, Dataset, size_bytes
from crystalvision.exchange._document import DOCUMENT, document_of
from crystalvision.exchange._grey import Grey, choose_grey
from crystalvision.exchange._place import new_folder
from crystalvision.exchange._readme import readme
from crystalvision.exchange._selection import Begin, Exported, Selection, begin_nothing
from crystalvision.exchange._table import CLASS, FILE, as_text, check_names, rows_of
from crystalvision.text import csv_writer, file_names

LABELS = "labels.csv"
# Level 6, which is usual, takes a twelfth less space, and twice as long.
_LEVEL = 4
_FIRST = (FILE, "split", CLASS)

_USE = """\
Each split has a folder for each class, also where a class has no image there, so that class numbers
are the same in all splits; for that, torchvision needs `allow_empty`. It sorts folders by name, so
its class numbers may differ from `label`: go by `ImageFolder.classes`.

```python
{loader}from torchvision.datasets import ImageFolder

images = ImageFolder("{part}", allow_empty=True{argument})
```

`labels.csv` has a line for each image; `dataset.json` has all else that is known of the dataset,
its recipe among it."""
_LOADER = "from PIL import Image\n"
_COUNTS = (
    " torchvision's own loader would make 8-bit colours of the counts, so another one is given."
)


def export_png(
    path: Path | str,
    output: Path | str,
    *,
    split: str = "all",
    scale: str = "log",
    overwrite: bool = False,
    begin: Begin = begin_nothing,
) -> Exported:
    """Export a dataset as PNG files, `{split}/{class}/{sample}.png`, with `labels.csv`.

    One channel becomes grey, three become RGB.

    Args:
        path: The dataset.
        output: The folder to make.
        split: `train`, `validation`, `test` or `all`.
        scale: `log` for 8 bits on a logarithmic scale, `counts` for 16 bits without loss.
        overwrite: Replace an export that is there.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: The dataset is incomplete, the place is taken, or the images do not fit.
        StorageError: The dataset is damaged, or the disk refused.
    """
    selection = Selection(Dataset.open(path), split)
    selection.dataset.check_classes("an export into a folder for each class")
    check_names(selection, (FILE, CLASS))
    output = Path(output)
    with new_folder(output, selection.dataset.path, overwrite=overwrite) as folder:
        grey = choose_grey(selection, scale, begin)
        files = _place_files(selection, folder)
        _write_images(selection, folder, files, grey, begin)
        _write_table(selection, folder, files)
        (folder / "README.md").write_text(_readme(selection, grey), encoding="utf-8")
        document = document_of(selection, "png", grey.name)
        (folder / DOCUMENT).write_text(document, encoding="utf-8")
    return Exported(
        path=output,
        format="png",
        split=split,
        samples=len(selection),
        files=len(files) + 3,
        bytes=size_bytes(output),
        notes=_left_out(selection),
    )


def _left_out(selection: Selection) -> tuple[str, ...]:
    """What neither a PNG file nor a table holds."""
    lacking = [f"column '{name}'" for name in selection.arrays]
    seen = selection.dataset.header.seen
    if seen is not None and seen.each_sample:
        lacking.append("the masks of what was seen")
    return tuple(
        f"{each} left out: it has an array for each sample; --to hdf5 or webdataset keeps it"
        for each in lacking
    )


def class_folders(names: tuple[str, ...]) -> list[str]:
    """A folder's name for each class, as near to its own as file systems allow."""
    return file_names(names, "class")


def _place_files(selection: Selection, folder: Path) -> list[str]:
    """Make the folders; the file of each chosen sample."""
    folders = class_folders(selection.dataset.header.class_names)
    present = set(selection.parts)
    for part in SPLIT_NAMES:
        for name in folders if part in present else []:
            (folder / part / name).mkdir(parents=True)
    labels = selection.columns["label"]
    return [
        f"{part}/{folders[label]}/{sample:08d}.png"
        for part, label, sample in zip(selection.parts, labels, selection.indices, strict=True)
    ]


def _write_images(
    selection: Selection, folder: Path, files: list[str], grey: Grey, begin: Begin
) -> None:
    for rows, images in selection.batches(begin("writing", len(selection))):
        for row, image in zip(rows, grey(images), strict=True):
            _write_png(folder / files[row], image)


def _write_png(path: Path, image: np.ndarray[Any, Any]) -> None:
    """Write an image (c, h, w) of 8 bits, or of 16 and one channel."""
    from PIL import Image

    pixels = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, "PNG", compress_level=_LEVEL)


def _write_table(selection: Selection, folder: Path, files: list[str]) -> None:
    names = [*_FIRST, *(name for name in selection.columns if name not in _FIRST)]
    classes = selection.dataset.header.class_names
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        writer.writerow(names)
        for row, name in zip(rows_of(selection), files, strict=True):
            whole = {**row, FILE: name, CLASS: classes[row["label"]]}
            writer.writerow([as_text(whole[each]) for each in names])


def _readme(selection: Selection, grey: Grey) -> str:
    counts = grey.name == "counts"
    use = _USE.format(
        loader=_LOADER if counts else "",
        part=selection.parts[0],
        argument=", loader=lambda path: Image.open(path).copy()" if counts else "",
    )
    meaning = grey.explain() + (_COUNTS if counts else "")
    return readme(selection, "PNG files", [("Grey values", meaning), ("Use", use)])
