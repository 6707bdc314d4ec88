import errno
import gzip
import hashlib
import json
from pathlib import Path

import pytest

from cabestan.adapters.backup_files import BackupFiles
from cabestan.errors import NotFound, StepFailed

NAME = "shop-api/staging-1/mysql/1-20260101T000000Z.dump.gz"
CONTENT = bytes(range(256)) * 40_000


@pytest.fixture
def files(tmp_path: Path) -> BackupFiles:
    return BackupFiles(tmp_path / "backups")


def written(files: BackupFiles) -> str:
    with files.writing(NAME) as packer:
        for start in range(0, len(CONTENT), 99_999):
            packer.write(CONTENT[start : start + 99_999])
        packed = packer.finish()
    files.keep(NAME, {"kind": "mysql"})
    content = files.path(NAME).read_bytes()
    assert (packed.bytes, packed.plain_bytes) == (len(content), len(CONTENT))
    assert packed.sha256 == hashlib.sha256(content).hexdigest()
    return packed.sha256


def test_a_backup_is_a_gzip_file_with_its_description_beside_it(files: BackupFiles) -> None:
    digest = written(files)
    assert gzip.decompress(files.path(NAME).read_bytes()) == CONTENT
    assert json.loads(files.described(NAME).read_text()) == {"kind": "mysql"}
    files.check(NAME, digest)
    pieces = list(files.chunks(NAME))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= 1 << 20


def test_what_was_not_finished_does_not_count_and_is_written_over(files: BackupFiles) -> None:
    with files.writing(NAME) as packer:
        packer.write(CONTENT)
    assert not files.path(NAME).exists()
    written(files)
    assert [path.name for path in files.path(NAME).parent.iterdir() if path.name.endswith(".partial")] == []


def test_a_file_that_was_changed_is_refused(files: BackupFiles) -> None:
    digest = written(files)
    path = files.path(NAME)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StepFailed, match="was changed or damaged"):
        files.check(NAME, digest)


def test_a_file_that_is_cut_off_is_refused(files: BackupFiles) -> None:
    written(files)
    path = files.path(NAME)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StepFailed, match="is cut off"):
        list(files.chunks(NAME))


def test_what_is_gone_says_so_and_removing_it_again_does_nothing(files: BackupFiles) -> None:
    written(files)
    files.remove(NAME)
    files.remove(NAME)
    assert list(files.path(NAME).parent.iterdir()) == []
    with pytest.raises(NotFound, match="is gone from the disk"):
        list(files.chunks(NAME))


def test_what_breaks_half_way_leaves_nothing_on_the_disk(files: BackupFiles) -> None:
    def write() -> None:
        with files.writing(NAME) as packer:
            packer.write(CONTENT)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert [path for path in files.folder.rglob("*") if path.is_file()] == []
