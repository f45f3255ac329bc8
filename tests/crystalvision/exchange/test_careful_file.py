import errno
import io

import pytest

from crystalvision.exchange._careful_file import CarefulFile


class SmallDisk(io.BytesIO):
    """Takes 10 bytes."""

    def write(self, content):
        room = 10 - self.tell()
        if room <= 0:
            raise OSError(errno.ENOSPC, "full")
        return super().write(content[:room])


def test_what_the_disk_refuses_is_read_back_all_the_same():
    file = CarefulFile(SmallDisk())
    file.seek(4)
    file.write(b"abcd")
    file.check()
    file.seek(2)
    file.write(b"0123456789AB")
    with pytest.raises(OSError, match="full"):
        file.check()
    file.write(b"end")
    file.seek(3)
    file.write(memoryview(b"x"))
    assert file.seek(0, io.SEEK_END) == 17
    file.seek(0)
    assert file.read(20) == b"\0\0" + b"0x23456789AB" + b"end" + b"\0\0\0"
    assert file.tell() == 20
    file.truncate(3)


def test_a_disk_with_room_gets_everything():
    disk = io.BytesIO()
    file = CarefulFile(disk)
    file.write(b"abc")
    file.seek(1)
    file.write(b"xyz")
    file.flush()
    file.check()
    assert disk.getvalue() == b"axyz"
    file.truncate(2)
    assert disk.getvalue() == b"ax"
