"""What every reader that there is must do with files that are none of its own."""

import random

import pytest

from crystalvision.errors import InputError
from crystalvision.measured_files import Readers
from crystalvision.plugins import Catalogue

# ncempy's files complain a second time, as they go, where they could not be opened.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CATALOGUE = Catalogue.load()
READERS = Readers(CATALOGUE)
NONE = {
    "empty": b"",
    "text": b"hello\n",
    "zeros": bytes(9000),
    "noise": random.Random(0).randbytes(9000),
    "zip": b"PK\x03\x04" + bytes(200),
    "xml": b"<?xml version='1.0'?><a/>",
    "hdf5": b"\x89HDF\r\n\x1a\n" + b"\xff" * 500,
}


@pytest.mark.parametrize("content", NONE.values(), ids=NONE)
@pytest.mark.parametrize("name", CATALOGUE.names("reader"))
def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path, name, content):
    reader = CATALOGUE.create("reader", name)
    path = tmp_path / f"file{reader.suffixes[0]}"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught, READERS.open(path, name) as file:
        file.read(0)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", CATALOGUE.names("reader"))
def test_a_signature_is_known(name):
    reader = CATALOGUE.create("reader", name)
    assert reader.format
    for signature in reader.signatures:
        assert not reader.recognises(b"\0" * 64)
        assert not signature.startswith(b"\0\0\0\0")
