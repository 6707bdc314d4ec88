from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.world import World
from tests.web.client import asking, token

from cabestan.engine import disk


def test_a_start_on_a_full_disk_gives_up_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.keep_reserve(tmp_path)
    (reserve,) = tmp_path.iterdir()
    assert not disk.use_reserve(tmp_path)
    assert reserve.exists()
    monkeypatch.setattr(disk, "has_room", lambda _folder: False)
    assert disk.use_reserve(tmp_path)
    assert not reserve.exists()
    assert disk.use_reserve(tmp_path)


def test_where_the_reserve_does_not_fit_nothing_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    disk.keep_reserve(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_while_the_disk_is_full_the_first_page_and_the_api_say_so(world: World) -> None:
    """And no row does, for none could be written."""
    world.user("dev")
    with asking(world, **token("dev")) as client:
        assert client.get("/api/v1/alerts").json()["items"] == []
        world.services.database.out_of_room.set()
        (alert,) = client.get("/api/v1/alerts").json()["items"]
        assert (alert["kind"], alert["message"]) == ("disk", "No room is left on the disk that holds the data.")
        assert "The disk is full" in client.get("/").text
