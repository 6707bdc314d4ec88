"""What a restore of PostgreSQL brings back beside the data: by the image's own script, in two containers."""

import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest
from tests.integration.harness import CHECKOUT, eventually

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import ImageCatalogue
from cabestan.domain.backup import Manifest, differences, parse_manifest

pytestmark = pytest.mark.integration
_IMAGE = "cabestan/postgresql:15"
_BEFORE = """
CREATE ROLE "an Owner" NOLOGIN;
CREATE ROLE reader NOLOGIN;
GRANT "an Owner" TO app;
GRANT reader TO app;
CREATE EXTENSION pgstattuple;
GRANT CREATE ON DATABASE app TO "an Owner";
"""
_MADE_BY_THE_APPLICATION = """
CREATE EXTENSION tablefunc; COMMENT ON EXTENSION tablefunc IS 'ours'; ALTER EXTENSION tablefunc UPDATE;
CREATE SCHEMA inner_place;
CREATE EXTENSION citext SCHEMA inner_place;
CREATE TABLE inner_place.words (word inner_place.citext); INSERT INTO inner_place.words VALUES ('Word');
SET ROLE "an Owner"; CREATE EXTENSION cube; RESET ROLE;
SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO reader;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;
ALTER DATABASE app SET timezone = 'Europe/Paris'; ALTER ROLE app SET search_path = inner_place, "$user", public;
ALTER ROLE app IN DATABASE app SET application_name = E'it''s\\nours';
REVOKE CONNECT ON DATABASE app FROM PUBLIC; GRANT CONNECT ON DATABASE app TO reader;
"""
#: as before it: what only an owner may, and what is seen by whoever signs in
_STILL_MAY = """
COMMENT ON EXTENSION tablefunc IS 'still ours'; ALTER EXTENSION tablefunc UPDATE;
SELECT lo_put(4711, 0, 'x'); DROP EXTENSION citext CASCADE; DROP EXTENSION tablefunc;
SET ROLE "an Owner"; DROP EXTENSION cube; RESET ROLE;
"""
_EMPTY = """
DROP DATABASE app; DROP ROLE "an Owner"; DROP ROLE reader; ALTER ROLE app RESET ALL; CREATE DATABASE app OWNER app;
"""
_SEEN = """
SELECT current_setting('timezone'), current_setting('search_path'), current_setting('application_name');
SELECT extname, extowner::regrole FROM pg_extension ORDER BY 1;
SELECT datacl FROM pg_database WHERE datname = 'app';
SELECT lomowner::regrole, lomacl FROM pg_largeobject_metadata;
SELECT defaclrole::regrole, defaclacl FROM pg_default_acl;
"""


@contextmanager
def served() -> Iterator[str]:
    """A container with an empty database."""
    name = f"cabtest-{uuid.uuid4().hex[:8]}"
    words = ["docker", "run", "--detach", "--rm", "--name", name, "--network", "none"]
    variables = [word for given in ("NAME=app", "USER=app", "MEMORY=128") for word in ("--env", f"DATABASE_{given}")]
    setting = "mkdir /run/secrets && echo word > /run/secrets/password && chmod -R a+rX /run/secrets && exec sleep 600"
    command = [*words, *variables, "--user=0", "--entrypoint=sh", _IMAGE]
    subprocess.run([*command, "-c", setting], check=True, stdout=subprocess.DEVNULL, timeout=60)
    try:
        eventually(lambda: _in(name, "test", "-e", "/run/secrets/password") == b"", 20, "its password is there")
        subprocess.run(["docker", "exec", "--detach", "--user=1001", name, "database", "serve"], check=True, timeout=20)
        eventually(lambda: _answers(name), 60, "it answers")
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, stdout=subprocess.DEVNULL)


def _answers(name: str) -> bool:
    words = ["docker", "exec", "--user=1001", name, "database", "ready"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _in(name: str, *words: str, given: bytes = b"", to: str = "1001") -> bytes:
    command = ["docker", "exec", "--interactive", f"--user={to}", name, *words]
    done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _sql(name: str, user: str, statements: str, database: str = "app") -> str:
    words = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "/tmp/served", "-U", user, "-d", database]
    return _in(name, *words, given=statements.encode()).decode()


def _manifest(name: str) -> Manifest:
    return parse_manifest(_in(name, "database", "manifest").decode().splitlines())


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[str, str]]:
    """One with all that an application may have made, and an empty one."""
    engine = Engine("unix:///var/run/docker.sock")
    with closing(engine.client):
        ImageCatalogue(engine, CHECKOUT / "images", None).ensure((_IMAGE,), lambda _event: None)
    with ExitStack() as served_ones, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: served_ones.enter_context(served()), range(2))
        _sql(first, "postgres", _BEFORE)
        _sql(first, "app", _MADE_BY_THE_APPLICATION)
        yield first, second


def test_owners_settings_and_rights_come_back_with_the_data(both: tuple[str, str]) -> None:
    first, second = both
    _in(second, "database", "load", given=_in(first, "database", "dump"))
    assert differences(_manifest(first), _manifest(second)) == ()
    seen = _sql(first, "app", _SEEN)
    assert _sql(second, "app", _SEEN) == seen
    assert "tablefunc|app\n" in seen
    _sql(second, "app", _STILL_MAY)
    left = "DROP OWNED BY app, \"an Owner\"; SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND dbid <> 0"
    assert _sql(second, "postgres", left) == "0\n"


def test_another_owner_is_a_difference_and_a_dump_of_an_earlier_version_is_loaded(both: tuple[str, str]) -> None:
    """Which did not tell of owners, so that they are those of today: not what they were."""
    first, second = both
    _sql(second, "postgres", _EMPTY, "postgres")
    head, _, rest = _in(first, "database", "dump").partition(b"\n")
    _, roles, left_out = map(bytes, head.split(b" "))
    earlier = b"roles " + roles + b"\n" + rest[: int(roles)] + rest[int(roles) + int(left_out) :]
    _in(second, "database", "load", given=earlier)
    (wrong,) = differences(_manifest(first), _manifest(second))
    assert wrong.startswith("(owners) has ")
