"""A project that was built and deployed, with a volume and a database, is deleted: nothing is left of it, anywhere."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import APP, COMPOSE, SMALL

from cabestan.store.schema import metadata

pytestmark = pytest.mark.integration

_WRITES = 'open("/data/kept", "w").write("what was there")\n'
_FILES = SMALL | {
    "app.py": APP.replace("class Handler", f"{_WRITES}class Handler", 1),
    "docker-compose.yml": COMPOSE + "    volumes: [data:/data]\n  redis:\n    image: redis\nvolumes:\n  data:\n",
}
#: each edge of each step has its kill in tests/engine/deleting; here are those after which Docker is half-way
_KILLS = ("deletion.stop:after", "deletion.save:after", "deletion.take-away:before", "deletion.images:after")
#: what stays on record, or goes within a day
_STAYS = frozenset({"deletions", "last_backups", "used_ids", "outbox", "facts", "alembic_version", "sqlite_sequence"})


def docker(platform: Platform) -> set[str]:
    """Everything of the installation, and of its images."""
    label = {"label": f"cabestan.instance={platform.instance}"}
    api, registry = platform.client.api, f"127.0.0.1:{platform.registry_port}/"
    found = {f"service {one['Spec']['Name']}" for one in api.services(label)}
    found |= {f"container {one['Names'][0]}" for one in api.containers(all=True, filters=label)}
    found |= {f"network {one['Name']}" for one in api.networks(filters=label)}
    found |= {f"volume {one['Name']}" for one in api.volumes(filters=label)["Volumes"] or ()}
    found |= {f"secret {one['Spec']['Name']}" for one in api.secrets(label)}
    found |= {f"config {one['Spec']['Name']}" for one in api.configs(label)}
    names = (name for image in api.images() for name in (*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())))
    return found | {f"image {name}" for name in names if name.startswith(registry)}


def registry(platform: Platform) -> set[str]:
    """Its repositories, and the layers and manifests that it has."""
    container = platform.client.containers.get(f"{platform.instance}-registry")
    root = "/var/lib/registry/docker/registry/v2"
    words = f"cd {root} && find repositories -type d -name _layers; find blobs -name data"
    code, output = container.exec_run(["sh", "-c", words])
    assert code == 0, output
    return set(output.decode().split())


def disk(platform: Platform) -> set[str]:
    """In the data folder, but for the database, what a server writes for itself, and backups, which are looked at."""
    found = {str(path.relative_to(platform.data)) for path in platform.data.rglob("*") if path.is_file()}
    return {name for name in found if "sqlite" not in name and not name.startswith(("server", "backups/", "acme"))}


def rows(platform: Platform) -> dict[str, int]:
    names = [name for name in metadata.tables if name not in _STAYS]
    return {name: platform.rows(f"select count(*) from {name}")[0][0] for name in names}


def _unpacked(files: Iterable[str]) -> dict[str, bytes]:
    """What is in the archives of volumes."""
    found = {}
    for file in files:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(Path(file).read_bytes()))) as packed:
            for entry in packed:
                if (content := packed.extractfile(entry)) is not None:
                    found[entry.name] = content.read()
    return found


def _ask(platform: Platform, path: str, name: str) -> None:
    """Where the server kills itself before it answers, the wish was accepted all the same."""
    try:
        platform.http.delete(f"/api/v1{path}", params={"confirm": name}).raise_for_status()
    except httpx.TransportError:
        return


def _done(platform: Platform) -> dict[str, Any] | None:
    latest: dict[str, Any] = platform.get("/deletions", limit=1)["items"][0]
    return latest if latest["status"] != "running" else None


def _deployed(platform: Platform) -> Work:
    work = platform.make_project(_FILES)
    pushed = work.push()
    platform.wait_for_pipeline(pushed.pipeline or 0, 240)
    deployment = eventually(lambda: platform.deployments(work.name, "staging"), 60, "it is deployed")[0]
    platform.succeeds(deployment["id"], 240)
    platform.comes_to_say(work.host("staging"), "one staging")
    return work


def test_a_deleted_project_leaves_nothing_but_its_last_backups_across_kills(killed: Platform) -> None:
    platform = killed
    platform.start()
    before = docker(platform), registry(platform), disk(platform), rows(platform)
    work = _deployed(platform)
    assert platform.get(f"/projects/{work.name}/volumes", environment="staging")["items"][0]["volume"] == "data"
    going = {line["text"] for line in platform.get(f"/projects/{work.name}/deletion-preview")["items"]}
    assert going >= {"2 environments", "1 volume", "1 database", "1 release"}

    platform.stop()
    platform.forget_kills()
    platform.start(_KILLS)
    _ask(platform, f"/projects/{work.name}", work.name)
    ended = platform.run_through(_KILLS, lambda: _done(platform), 240)
    assert ended["status"] == "succeeded", ended

    assert [one["kind"] for one in ended["backups"]] == ["redis", "volume"]
    assert _unpacked(one["file"] for one in ended["backups"][1:]) == {"volume/kept": b"what was there"}
    there = {
        str(path) for path in (platform.data / "backups" / work.name.replace("/", "-")).rglob("*") if path.is_file()
    }
    assert there == {name for one in ended["backups"] for name in (one["file"], f"{one['file']}.json")}

    with pytest.raises(httpx.ConnectError, match="not valid for"):  # the router has lost its certificate, too
        platform.ask(work.host("staging"))
    left = {name for name in docker(platform) - before[0] if not _is_shared(platform, name)}
    assert left == set()
    assert {name for name in registry(platform) - before[1] if work.name in name} == set()
    assert not _orphans(platform)
    eventually(lambda: disk(platform) - before[2] == set(), 90, "what applications said goes within a minute")
    more = {name: (was, now) for name, was, now in _more(before[3], rows(platform))}
    for name in ("alerts", "tallies", "outages"):  # others of this platform are asked meanwhile, or in trouble
        more.pop(name, None)
    assert more == {}
    for name in ("tallies", "outages"):
        lost = f"select count(*) from {name} where environment_id not in (select id from environments)"
        assert platform.rows(lost)[0][0] == 0
    assert platform.rows(f"select count(*) from alerts where subject like '{work.name}%'")[0][0] == 0


def _is_shared(platform: Platform, name: str) -> bool:
    """What the first build of an installation makes, for all: the gate; and base images in the registry."""
    registry = f"image 127.0.0.1:{platform.registry_port}/"
    return f"{platform.instance}-gate" in name or name.startswith((f"{registry}cabestan/", f"{registry}library/"))


def _more(before: dict[str, int], after: dict[str, int]) -> Iterable[tuple[str, int, int]]:
    """Certificates of the platform's own authority are made once, for all; sessions and tokens of jobs end."""
    for name, count in after.items():
        if count > before[name] and name != "certificates":
            yield name, before[name], count


def _orphans(platform: Platform) -> set[str]:
    """Layers that no repository refers to."""
    container = platform.client.containers.get(f"{platform.instance}-registry")
    root = "/var/lib/registry/docker/registry/v2"
    words = (
        f"cd {root} && find repositories -path '*/sha256/*' -name link | sed 's,/link$,,;s,.*/,,' | sort -u; echo --; "
    )
    code, output = container.exec_run(
        ["sh", "-c", words + "find blobs -name data | sed 's,/data$,,;s,.*/,,' | sort -u"]
    )
    assert code == 0, output
    linked, _, present = output.decode().partition("--\n")
    return set(present.split()) - set(linked.split())
