"""Copies of backups, with the real rclone, over the network."""

from __future__ import annotations

import os
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from tests.ports import free_port
from tests.storage_servers import PROTOCOLS, StorageServer, obscured

from cabestan.adapters.rclone import Remote, environment, without_secrets
from cabestan.errors import StepFailed

SECONDS = 120


@pytest.fixture(params=PROTOCOLS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> StorageServer:
    return StorageServer(request.param, tmp_path / "storage", free_port(), uuid.uuid4().hex)


#: rclone tries again and again where a connection breaks, which takes half a minute: one protocol is enough
over_sftp = pytest.mark.parametrize("server", ["sftp"], indirect=True)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "17.dump.gz"
    path.write_bytes(os.urandom(3_000_000))
    return path


def test_what_is_put_comes_back_and_goes(server: StorageServer, dump: Path, tmp_path: Path) -> None:
    remote, back = Remote(server.place(), SECONDS), tmp_path / "new" / "back"
    with server.serving():
        remote.put(dump, "shop-api/17.dump.gz")
        assert (server.folder / "kept/shop-api/17.dump.gz").read_bytes() == dump.read_bytes()
        remote.fetch("shop-api/17.dump.gz", back)
        assert back.read_bytes() == dump.read_bytes()
        remote.remove("shop-api/17.dump.gz")
        remote.remove("shop-api/17.dump.gz")
        assert [path for path in (server.folder / "kept").rglob("*") if path.is_file()] == []


def test_a_wrong_password_is_told_without_it(server: StorageServer, dump: Path) -> None:
    place = server.place("wrong")
    with server.serving(), pytest.raises(StepFailed) as failed:
        Remote(place, SECONDS).put(dump, "17.dump.gz")
    assert "authenticate" in str(failed.value) or "401 Unauthorized" in str(failed.value)
    assert place.partition("pass=")[2].removesuffix(":kept") not in str(failed.value)


@over_sftp
def test_a_server_that_goes_in_the_middle_fails_it_and_the_next_try_works(server: StorageServer, dump: Path) -> None:
    remote = Remote(server.place(), SECONDS)
    with server.serving("--bwlimit", "1M") as process:
        threading.Timer(1.2, process.kill).start()
        with pytest.raises(StepFailed, match="rclone copyto failed"):
            remote.put(dump, "17.dump.gz")
    with server.serving():
        remote.put(dump, "17.dump.gz")
    assert (server.folder / "kept/17.dump.gz").read_bytes() == dump.read_bytes()


@over_sftp
def test_what_is_fetched_half_is_not_there(server: StorageServer, dump: Path, tmp_path: Path) -> None:
    remote, back = Remote(server.place(), SECONDS), tmp_path / "back"
    with server.serving():
        remote.put(dump, "17.dump.gz")
    with server.serving("--bwlimit", "1M") as process:
        threading.Timer(1.2, process.kill).start()
        with pytest.raises(StepFailed, match="rclone copyto failed"):
            remote.fetch("17.dump.gz", back)
    assert list(tmp_path.glob("back*")) == []


def test_no_argument_holds_the_password(server: StorageServer, dump: Path) -> None:
    place, seen = server.place(), []
    word = place.partition("pass=")[2].removesuffix(":kept").encode()
    with server.serving("--bwlimit", "2M"):
        copying = threading.Thread(target=Remote(place, SECONDS).put, args=(dump, "17.dump.gz"))
        copying.start()
        while copying.is_alive():
            seen += [line for line in _command_lines() if b"copyto" in line and str(dump).encode() in line]
            time.sleep(0.02)
    assert seen
    assert [line for line in seen if word in line] == []


def _command_lines() -> list[bytes]:
    """Of all processes that are there, but for those that end just now."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines.append((folder / "cmdline").read_bytes())
    return lines


@pytest.mark.parametrize("place", ["/mnt/nas/backups", "nas:backups", ":sftp,host=nas,pass=x:backups"])
def test_any_place_stands_behind_one_name(place: str) -> None:
    assert environment(place) == {
        "RCLONE_CONFIG_BACKUP_REMOTE_TYPE": "alias",
        "RCLONE_CONFIG_BACKUP_REMOTE_REMOTE": place,
    }


def test_a_folder_of_this_machine_is_a_place_too(tmp_path: Path, dump: Path) -> None:
    Remote(str(tmp_path / "nas"), SECONDS).put(dump, "a/17.dump.gz")
    assert (tmp_path / "nas/a/17.dump.gz").read_bytes() == dump.read_bytes()


def test_secrets_of_a_place_are_masked() -> None:
    place = f""":s3,access_key_id=ID-1,secret_access_key="a,b:c-longer",pass={obscured("x")}:b"""
    said = f"cannot reach {place} with ID-1"
    masked = ':s3,access_key_id=ID-1,secret_access_key="[secret]",pass=[secret]:b'
    assert without_secrets(said, place) == masked.join(("cannot reach ", " with ID-1"))


@pytest.mark.parametrize(
    ("place", "said", "masked"),
    [
        (':sftp,host=h,pass="",user=u:b', "could not connect", "could not connect"),
        (':webdav,url="https://bob:hunter22@h/dav":b', "https://bob:hunter22@h/dav", "https://bob:[secret]@h/dav"),
        (':s3,secret_access_key="ab""cd,ef":b', 'with ab"cd,ef or "ab""cd,ef"', 'with [secret] or "[secret]"'),
    ],
)
def test_secrets_are_masked_however_they_are_written(place: str, said: str, masked: str) -> None:
    assert without_secrets(said, place) == masked
