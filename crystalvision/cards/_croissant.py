"""Croissant: what search engines and loaders of machine-learning data read of a dataset.

Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) and its vocabulary
for responsible AI, RAI 1.0. A Zarr store is a folder, not a file: it is one `FileSet`, from which
every field takes the array of its name. Files with a content of their own, the metadata documents,
are `FileObject`s with their SHA-256; every chunk of the others ends in a checksum.
"""

import hashlib
from pathlib import Path
from typing import Any

from crystalvision.cards._facts import Facts
from crystalvision.cards._licence import licence_url
from crystalvision.cards._origin import Origin
from crystalvision.cards._summary import Summary
from crystalvision.cards._text import citation_of, is_diffraction
from crystalvision.datasets import (
    HEADER_DOCUMENT,
    IMAGES,
    ROOT_DOCUMENT,
    SEEN,
    SPLIT,
    Column,
    DatasetHeader,
)
from crystalvision.storage import disk_errors
from crystalvision.text import json_text

VERSION = "1.0.0"  # of the data: they never change under one identity
_CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_ZARR = "https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html"
_STORE = "zarr-store"
_TERMS = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty"),
    *("excludes", "extract", "field", "fileProperty", "fileObject", "fileSet", "format"),
    *("includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("readLines", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("sdVersion", "separator", "source", "subField", "transform", "unArchive", "value"),
)
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_SHARES = "Samples in each class, as the recipe sets them: {}."
_SPLITS = (("train", "Training"), ("validation", "Validation"), ("test", "Test"))


def croissant(
    path: Path, header: DatasetHeader, summary: Summary, origin: Origin, facts: Facts
) -> bytes:
    """The content of `croissant.json`.

    Raises:
        StorageError: The metadata documents cannot be read.
    """
    people = [{"@type": "sc:Person", "name": name} for name in facts.creators]
    people += [{"@type": "sc:Organization", "name": name} for name in facts.organisations]
    recipe_description = str(header.recipe.get("description") or "")
    licence = licence_url(facts.licence) or facts.licence if facts.licence else None
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(_CONFORMS_TO),
        "name": summary.name,
        "description": facts.description or recipe_description or origin.summary,
        "identifier": f"sha256:{header.identity}",
        "version": VERSION,
        "isLiveDataset": False,
        "license": licence,
        "creator": people,
        "datePublished": facts.published.isoformat() if facts.published else None,
        "url": facts.url,
        "citeAs": citation_of(header, summary.name, facts),
        "keywords": [
            *(["diffraction"] if is_diffraction(header) else []),
            *(["crystal defects"] if "severity" in header.columns else []),
            *(["image classification"] if summary.classes and len(header.axes) == 2 else []),
            "CrystalVision",
        ],
        **_responsible(header, summary, origin),
        "distribution": _distribution(path),
        "recordSet": [
            *([_class_records(summary)] if summary.classes else []),
            _split_records(),
            _sample_records(header),
        ],
    }
    stated = {key: value for key, value in document.items() if value not in (None, "", [])}
    return (json_text(stated, indent=2) + "\n").encode()


def _responsible(header: DatasetHeader, summary: Summary, origin: Origin) -> dict[str, Any]:
    """What the vocabulary for responsible AI has words for."""
    terms: dict[str, Any] = {"rai:dataCollection": origin.collection}
    if not origin.synthetic:
        return terms
    shares = ", ".join(f"{each.name}: {sum(each.splits)}" for each in summary.classes)
    software = [f"{name} {version}" for name, version in header.generator.items()]
    return {
        **terms,
        "rai:dataCollectionType": ["Others: computer simulation"],
        "rai:dataPreprocessingProtocol": ["None: raw values are stored, nothing is normalised."],
        "rai:dataAnnotationProtocol": (
            "No annotators: all columns follow from the recipe that made the sample."
        ),
        "rai:machineAnnotationTools": software,
        **({"rai:dataBiases": [_SHARES.format(shares)]} if shares else {}),
        "rai:dataLimitations": list(origin.limits),
        "rai:dataUseCases": ["Training, validation and testing of models of such patterns."],
        "rai:personalSensitiveInformation": ["None: no person is concerned."],
    }


def _distribution(path: Path) -> list[dict[str, Any]]:
    objects = [_document(path, ROOT_DOCUMENT, "Metadata of the Zarr group: recipe, calibration.")]
    objects.append(_document(path, HEADER_DOCUMENT, "A second copy of the dataset's header."))
    store = {
        "@type": "cr:FileSet",
        "@id": _STORE,
        "name": "Zarr store",
        "description": (
            "The folder of this file: a Zarr 3 group. Each chunk ends in a CRC-32C of its own; "
            "`crystalvision dataset verify` reads every byte."
        ),
        "encodingFormat": _ZARR,
        "includes": [ROOT_DOCUMENT, f"*/{ROOT_DOCUMENT}", "*/c/**/*"],
    }
    return [*objects, store]


def _document(path: Path, name: str, description: str) -> dict[str, Any]:
    with disk_errors(path / name, "read"):
        content = (path / name).read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "description": description,
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "application/json",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _class_records(summary: Summary) -> dict[str, Any]:
    severe = any(each.severity is not None for each in summary.classes)
    severity = [_inline("classes", "severity", "sc:Float")] if severe else []
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": "The classes, with the severity that stands for each."
        if severe
        else "The classes.",
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/index"},
        "field": [
            _inline("classes", "index", "sc:Integer"),
            _inline("classes", "name", "sc:Text"),
            *severity,
        ],
        "data": [
            {
                "classes/index": index,
                "classes/name": each.name,
                **({"classes/severity": each.severity} if severe else {}),
            }
            for index, each in enumerate(summary.classes)
        ],
    }


def _split_records() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The parts of the dataset.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/index"},
        "field": [
            _inline("splits", "index", "sc:Integer"),
            _inline("splits", "name", "sc:Text"),
            _inline("splits", "url", ["sc:URL", "cr:Split"]),
        ],
        "data": [
            {"splits/index": index, "splits/name": name, "splits/url": f"cr:{kind}Split"}
            for index, (name, kind) in enumerate(_SPLITS)
        ],
    }


def _inline(record_set: str, name: str, data_type: str | list[str]) -> dict[str, Any]:
    identifier = f"{record_set}/{name}"
    return {"@type": "cr:Field", "@id": identifier, "name": name, "dataType": data_type}


def _sample_records(header: DatasetHeader) -> dict[str, Any]:
    atom = "sc:Float" if header.dtype == "float32" else "sc:Integer"
    axes = "; ".join(
        f"{axis.name}: point i lies at {axis.offset:g} + {axis.scale:g} i [{axis.units}]"
        for axis in header.axes
    )
    names = ", ".join(("channel", *(axis.name for axis in header.axes)))
    kind = [atom, "sc:ImageObject"] if len(header.axes) == 2 else atom
    images = _array(_stored(IMAGES, kind, f"The pattern ({names}). {axes}."), header.image_shape)
    seen = []
    if header.seen is not None and header.seen.each_sample:
        shape = (header.seen.channels, *header.grid)
        seen = [_array(_stored(SEEN, "sc:Boolean", "Whether a point was measured."), shape)]
    split = _stored(SPLIT, "sc:Integer", "Part of the dataset that the sample belongs to.")
    split["references"] = {"field": {"@id": "splits/index"}}
    columns = [_column(name, column) for name, column in header.columns.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "One record for each sample; its place along the arrays is its index.",
        "field": [images, *seen, *columns, split],
    }


def _column(name: str, column: Column) -> dict[str, Any]:
    atom: str | list[str] = "sc:Float" if column.dtype.startswith("float") else "sc:Integer"
    if column.dtype == "bool":
        atom = "sc:Boolean"
    if name == "label":
        atom = ["sc:Integer", "cr:Label"]
    classes = ", ".join(f"{place}: {each}" for place, each in enumerate(column.classes))
    units = f"[{column.units}]" if column.units != "1" else ""
    text = f"{column.description or name} {units}".strip()
    if classes and name != "label":
        text += f" ({classes})"
    field = _stored(name, atom, text)
    if column.shape:
        field = _array(field, column.shape)
    if name == "label":
        field["references"] = {"field": {"@id": "classes/index"}}
    return field


def _array(field: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """A field of which each sample has an array."""
    return {**field, "isArray": True, "arrayShape": ",".join(map(str, shape))}


def _stored(name: str, data_type: str | list[str], description: str) -> dict[str, Any]:
    """A field that is an array of the store."""
    return {
        "@type": "cr:Field",
        "@id": f"samples/{name}",
        "name": name,
        "description": description,
        "dataType": data_type,
        "source": {"fileSet": {"@id": _STORE}, "extract": {"column": name}},
    }
