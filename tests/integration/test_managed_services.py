"""Databases that the platform runs: made once, never touched by a later deployment, backed up and restored."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration import databases
from tests.integration.conftest import ShareLayers
from tests.integration.harness import Platform, Work, eventually, repeating
from tests.integration.samples import unbuilt

pytestmark = pytest.mark.integration
_ROWS = 100_000
#: those that take long to push
_IMAGES = {"postgresql": "postgresql:15", "mysql": "mariadb:10.11"}


@pytest.fixture
def elsewhere(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    """Where backups go too: a folder that rclone reaches as a remote."""
    with platform.served_with(backup_remote=f":alias,remote={tmp_path}:"):
        yield tmp_path


def database(platform: Platform, work: Work, kind: str) -> dict[str, Any]:
    items = platform.get(f"/projects/{work.name}/databases", environment="staging")["items"]
    (found,) = [item for item in items if item["kind"] == kind]
    return dict(found)


def inside(platform: Platform, instance: Mapping[str, Any], *command: str, words: bytes = b"") -> str:
    """In its container; fails with what it said."""
    label = [f"cabestan.instance={platform.instance}", f"cabestan.managed-id={instance['id']}"]
    (container,) = eventually(
        lambda: platform.client.containers.list(filters={"label": label, "health": "healthy"}, ignore_removed=True),
        60,
        "it runs",
    )
    if words:
        line = ["docker", "--host", platform.engine, "exec", "-i", container.id, *command]
        done = subprocess.run(line, input=words, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()
    code, output = container.exec_run(list(command))
    assert code == 0, output.decode()
    return str(output.decode())


def sql(platform: Platform, instance: Mapping[str, Any], text: str) -> str:
    """As the application's user for PostgreSQL and MariaDB alike."""
    name = str(instance["database"])
    if instance["kind"] == "postgresql":
        line = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "/tmp/served", "-U", name, name]
    else:
        line = ["mariadb", "--no-defaults", "-S", "/tmp/served.sock", "-u", "database", "-N", "-B", name]
        line.append("--default-character-set=utf8mb4")
    return inside(platform, instance, *line, words=text.encode())


def wished(platform: Platform, path: str, body: Mapping[str, Any] | None = None, seconds: float = 180) -> Any:
    """The operation, when it has ended."""
    begun = platform.post(path, body)

    def ended() -> Any:
        found = platform.get(f"/database-operations/{begun['id']}")
        return found if found["status"] != "running" else None

    return eventually(ended, seconds, f"{path} ends", 0.3)


def volumes(platform: Platform, work: Work) -> list[str]:
    key = platform.project_id(work.name)
    rows = platform.rows(f"select volume from managed_services where project_id = {key} order by id")
    there = {volume.name for volume in platform.client.volumes.list()}
    return [row[0] for row in rows if row[0] in there]


@pytest.mark.timeout(600)
def test_an_application_finds_its_databases_and_its_data_after_each_deployment(
    platform: Platform, share_layers: ShareLayers, clients: str
) -> None:
    share_layers(platform, *_IMAGES.values())
    work = platform.make_project(unbuilt(databases.ALL, image=clients))
    first = work.deployed(300)
    assert first["status"] == "succeeded", platform.get(f"/deployments/{first['id']}")
    whole = platform.get(f"/deployments/{first['id']}")
    assert [(s["kind"], s["status"]) for s in whole["steps"]] == [
        (kind, "succeeded") for kind in ("pull", "managed", "apply", "watch", "routes")
    ]
    assert [c["text"] for c in whole["plan"]["changes"] if c["kind"].startswith("managed")] == [
        "postgresql is made: PostgreSQL 15, empty, with a volume of its own",
        "mysql is made: MariaDB 10.11, empty, with a volume of its own",
        "redis is made: Redis 7.0, empty, with a volume of its own",
    ]
    host, made = work.host("staging"), volumes(platform, work)
    assert len(made) == 3
    seen = _visits(platform, host, 0)

    label = {
        "label": [f"cabestan.instance={platform.instance}", f"cabestan.project={work.name}", "cabestan.managed-id"]
    }
    running = {container.id for container in platform.client.containers.list(filters=label, ignore_removed=True)}
    work.files["app.py"] += "# another release\n"
    work.goes_live(120)
    assert {
        container.id for container in platform.client.containers.list(filters=label, ignore_removed=True)
    } == running
    seen = _visits(platform, host, seen)

    work.files["app.py"] = "raise SystemExit(7)\n"
    assert work.deployed(120)["status"] == "rolled_back"
    eventually(lambda: platform.ask(host, "/visit").status_code == 200, 60, "the former release serves again")
    seen = _visits(platform, host, seen)

    work.files |= databases.idle()
    work.goes_live(120)
    assert [database(platform, work, kind)["status"] for kind in ("mysql", "postgresql", "redis")] == ["unused"] * 3
    answer = platform.http.post(
        f"/api/v1/databases/{database(platform, work, 'redis')['id']}/delete", json={"confirm": "staging/mysql"}
    )
    assert answer.status_code == 422, answer.text

    back = platform.post(f"/projects/{work.name}/environments/staging/rollback", {"release": 2})
    platform.succeeds(back["id"], 120)
    assert _visits(platform, host, seen) > seen
    assert volumes(platform, work) == made

    redis = database(platform, work, "redis")
    refused = platform.http.post(f"/api/v1/databases/{redis['id']}/delete", json={"confirm": "staging/redis"})
    assert (refused.status_code, redis["status"]) == (409, "serving")


def _visits(platform: Platform, host: str, seen: int) -> int:
    """How many visits all three databases know of, each start of the application being one too.

    One that is starting just now may have told some of them only.
    """

    def agreed() -> str | None:
        answer = platform.ask(host, "/visit")
        assert answer.status_code == 200, answer.text
        counts = {word.rpartition(" ")[2] for word in answer.text.split(", ")}
        return counts.pop() if len(counts) == 1 else None

    count = eventually(agreed, 30, "all three know of the same visits")
    assert int(count) > seen
    return int(count)


_FILL = {
    "postgresql": f"""
        CREATE TABLE items (id serial PRIMARY KEY, name text, raw bytea, at timestamptz DEFAULT now(), n numeric);
        INSERT INTO items (name, raw, n) SELECT 'é😀𝄞 ' || i || E' \\t tab', decode(md5(i::text) || '00ff', 'hex'),
            i / 7.0 FROM generate_series(1, {_ROWS}) i;
        CREATE TABLE "odd Name; --" ("select" int, "é" text);
        INSERT INTO "odd Name; --" VALUES (1, NULL), (2, '');
        SELECT lo_from_bytea(0, decode(repeat('00ff4142', 1000000), 'hex')) IS NOT NULL;
        CREATE VIEW named AS SELECT name FROM items;
        CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';
        CREATE TABLE written (i int);
        CREATE EXTENSION tablefunc;
    """,
    "mysql": f"""
        CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(60), old varchar(60) CHARACTER SET latin1,
            raw varbinary(40), at datetime DEFAULT now(), f double, flags bit(5), kind enum('a', 'b'), doc json);
        INSERT INTO items (name, old, raw, f, flags, kind, doc) SELECT CONCAT('é😀𝄞 ', seq), CONCAT('é ü ', seq),
            UNHEX(CONCAT(MD5(seq), '00FF')), seq / 7, seq % 32, IF(seq % 2, 'a', 'b'), '{{"a": 1}}'
            FROM seq_1_to_{_ROWS};
        CREATE TABLE `odd Name; --` (`select` int, `é` text);
        INSERT INTO `odd Name; --` VALUES (1, NULL), (2, '');
        CREATE TABLE large (b longblob);
        INSERT INTO large VALUES (REPEAT(x'00ff4142', 1000000));
        CREATE VIEW named AS SELECT name FROM items;
        CREATE PROCEDURE twice(i int) SELECT i * 2;
        CREATE TRIGGER upper_case BEFORE INSERT ON items FOR EACH ROW SET new.kind = 'a';
        CREATE EVENT later ON SCHEDULE EVERY 1 YEAR DO DELETE FROM items WHERE id = 0;
        CREATE TABLE written (i int) ENGINE = InnoDB;
    """,
}
_SPOIL = {
    "postgresql": """
        DELETE FROM items WHERE id > 10;
        DROP TABLE "odd Name; --";
        SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
    """,
    "mysql": "DELETE FROM items WHERE id > 10; DROP TABLE `odd Name; --`; DROP PROCEDURE twice; TRUNCATE large;",
}


#: into two tables in one transaction
_WRITE = "BEGIN; INSERT INTO written VALUES (1); UPDATE items SET name = 'x' WHERE id = 1; COMMIT;"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_rows_come_back_as_they_were(platform: Platform, share_layers: ShareLayers, elsewhere: Path, kind: str) -> None:
    """100,000 of them, odd names and encodings, large objects, while a client writes; from here and from elsewhere."""
    share_layers(platform, _IMAGES[kind])
    work = platform.make_project(databases.idle(kind))
    work.goes_live(300)
    instance = database(platform, work, kind)
    at = f"/databases/{instance['id']}"
    sql(platform, instance, _FILL[kind])
    with repeating(partial(sql, platform, instance, _WRITE), pause=0.2):
        backup = wished(platform, f"{at}/backups")
    assert (backup["status"], backup["saved"]["status"]) == ("succeeded", "verified"), backup
    assert backup["saved"]["rows"] >= _ROWS + 2
    assert (backup["saved"]["here"], backup["saved"]["remote"]) == (True, True)
    before = inside(platform, instance, "database", "manifest")
    sure = wished(platform, f"{at}/backups")["saved"]
    sql(platform, instance, _SPOIL[kind])
    assert inside(platform, instance, "database", "manifest") != before
    _lose_the_local_file(platform, sure, elsewhere)
    restored = wished(platform, f"{at}/restore", {"backup": sure["id"], "confirm": f"staging/{kind}"})
    assert restored["status"] == "succeeded", restored
    assert inside(platform, instance, "database", "manifest") == before
    if kind == "postgresql":
        sql(platform, instance, "COMMENT ON EXTENSION tablefunc IS 'ours'; ALTER EXTENSION tablefunc UPDATE")
    assert restored["saved"]["rows"] < _ROWS
    kept = database(platform, work, kind)["kept_volumes"]
    assert [platform.client.volumes.get(name).name for name in kept] == [instance["volume"]]


@pytest.mark.timeout(600)
def test_keys_come_back_as_they_were_and_after_a_deletion_in_a_new_database(
    platform: Platform, share_layers: ShareLayers
) -> None:
    share_layers(platform, _IMAGES["postgresql"])
    work = platform.make_project(databases.idle("postgresql", "redis"))
    work.goes_live(300)
    redis = database(platform, work, "redis")
    lines = b"".join(b"SET k%d v%d\n" % (i, i) for i in range(_ROWS)) + b"SELECT 3\nLPUSH l 1 2 3\n"
    inside(platform, redis, "redis-cli", "-s", "/tmp/served.sock", "--pipe", words=lines)
    before = inside(platform, redis, "database", "manifest")
    saved = wished(platform, f"/databases/{redis['id']}/backups")["saved"]
    assert (saved["status"], saved["rows"]) == ("verified", _ROWS + 1)
    inside(platform, redis, "redis-cli", "-s", "/tmp/served.sock", "FLUSHALL")
    wish = {"backup": saved["id"], "confirm": "staging/redis"}
    assert wished(platform, f"/databases/{redis['id']}/restore", wish)["status"] == "succeeded"
    assert inside(platform, redis, "database", "manifest") == before

    deleted = _delete(platform, work, database(platform, work, "redis"))
    assert database(platform, work, "postgresql")["status"] == "serving"
    work.files |= databases.idle("postgresql", "redis")
    work.goes_live(120)
    new = database(platform, work, "redis")
    assert new["id"] != redis["id"]
    wish = {"backup": deleted["saved"]["id"], "confirm": "staging/redis"}
    assert wished(platform, f"/databases/{new['id']}/restore", wish)["status"] == "succeeded"
    assert inside(platform, new, "database", "manifest") == before


def _delete(platform: Platform, work: Work, redis: Mapping[str, Any]) -> Any:
    """Once no release uses it, with all volumes that it ever had."""
    assert len(redis["kept_volumes"]) == 1
    work.files |= databases.idle("postgresql")
    work.goes_live(120)
    answer = wished(platform, f"/databases/{redis['id']}/delete", {"confirm": "staging/redis"})
    assert (answer["status"], answer["saved"]["status"]) == ("succeeded", "verified"), answer
    there = {volume.name for volume in platform.client.volumes.list()}
    assert not there & {redis["volume"], *redis["kept_volumes"]}
    return answer


def _lose_the_local_file(platform: Platform, backup: Mapping[str, Any], elsewhere: Path) -> None:
    path = platform.data / "backups" / str(backup["file"])
    assert path.stat().st_size == backup["bytes"]
    assert (elsewhere / str(backup["file"])).stat().st_size == backup["bytes"]
    path.unlink()


@pytest.fixture
def mongodb(platform: Platform, tmp_path: Path) -> Iterator[None]:
    """The image that the settings name: a server that answers MongoDB's queries, for MongoDB itself cannot be had."""
    folder = tmp_path / "mongodb"
    shutil.copytree(Path(__file__).with_name("mongodb"), folder)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--require-hashes"]
    of_the_image = ["--python-version", "3.11", "--only-binary", ":all:", "--target", "packages"]
    line = [*uv, *of_the_image, "--requirements", "requirements.lock"]
    subprocess.run(line, cwd=folder, check=True, timeout=120)
    image = f"{platform.instance}/mongodb:0.1"
    platform.client.images.build(path=str(folder), tag=image, rm=True)
    with platform.served_with(mongodb_image=image):
        yield
    platform.client.images.remove(image, force=True)


def test_an_image_that_an_administrator_sets_serves_as_mongodb(platform: Platform, mongodb: None, clients: str) -> None:
    work = platform.make_project(unbuilt(databases.MONGO, image=clients))
    done = work.deployed(240)
    assert done["status"] == "succeeded", platform.get(f"/deployments/{done['id']}")
    instance = database(platform, work, "mongodb")
    assert (instance["version"], instance["exact_version"], instance["health"]) == ("0.1", "0.8.1", "healthy")

    assert _told(platform, work, "fill") is None
    assert _told(platform, work, "queries") == {
        "found": [2999, 2997, 2995],
        "updated": [10, "ü"],
        "groups": [{"_id": "even", "n": 1500, "most": 5008}, {"_id": "odd", "n": 1500, "most": 5009}],
        "count": 100,
        "unchanged": True,
        "twice": 11000,
    }
    assert _told(platform, work, "refusals") == {
        "wrong password": 18,
        "another user": 18,
        "another mechanism": 18,
        "no password": 13,
        "no password, writing": 13,
        "another database": 13,
    }

    at, untouched = f"/databases/{instance['id']}", _told(platform, work, "everything")
    with repeating(partial(_told, platform, work, "write"), pause=0.2):
        saved = wished(platform, f"{at}/backups")["saved"]
    assert (saved["status"], saved["rows"]) == ("verified", 3004)

    before, manifest = _told(platform, work, "everything"), inside(platform, instance, "database", "manifest")
    assert [before[name][1] != untouched[name][1] for name in ("things", "others")] == [True, True]
    assert {name: (count, indexes) for name, (count, _, indexes) in before.items()} == {
        "others": (4, ["_id_"]),
        "things": (3000, ["_id_", "idx_things_large", "idx_things_parity_size_width"]),
    }
    saved = wished(platform, f"{at}/backups")["saved"]
    assert (saved["status"], saved["rows"]) == ("verified", 3004)
    assert _told(platform, work, "spoil") is None
    assert _told(platform, work, "everything").keys() == {"later", "things"}
    wish = {"backup": saved["id"], "confirm": "staging/mongodb"}
    restored = wished(platform, f"{at}/restore", wish)
    assert restored["status"] == "succeeded", restored
    assert inside(platform, instance, "database", "manifest") == manifest
    eventually(lambda: _told(platform, work, "everything") == before, 30, "the application sees the restored data")


def _told(platform: Platform, work: Work, path: str) -> Any:
    """What the application answers; its client may just be connecting anew."""
    answer = platform.ask(work.host("staging"), f"/{path}")
    return answer.json() if answer.status_code == 200 else answer.text
