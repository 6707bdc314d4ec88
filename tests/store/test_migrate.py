import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.conftest import MakeDatabase

from cabestan.store import deployments, managed, pipelines, releases
from cabestan.store.database import Database
from cabestan.store.migrate import configuration, migrate
from cabestan.store.schema import metadata


@pytest.fixture(scope="module")
def migrated(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate(database)
    yield database
    database.close()


def test_the_migrated_tables_are_those_of_the_schema(migrated: Database) -> None:
    with migrated.reading() as tx:
        context = MigrationContext.configure(
            tx, opts={"compare_type": True, "compare_server_default": not migrated.is_sqlite}
        )  # SQLite's defaults read back otherwise than they are written
        assert compare_metadata(context, metadata) == []


def test_migrating_a_second_time_changes_nothing(migrated: Database) -> None:
    migrate(migrated)
    with migrated.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_alembic_itself_finds_nothing_left_to_do(migrated: Database) -> None:
    with migrated.writing() as tx:
        command.check(configuration(tx))


def test_a_release_of_before_keeps_its_compose_file(make_database: MakeDatabase) -> None:
    database = Database(make_database(""))
    with database.writing() as tx:
        command.upgrade(configuration(tx), "0001")
        _an_old_release(tx)
    migrate(database)
    with database.reading() as tx:
        kept = releases.get(tx, 1, 1)
    database.close()
    assert (kept.compose_file, kept.texts) == ("compose.yml", {"compose.yml": "services: {é: {}}"})


def test_references_of_before_lose_the_registrys_address(make_database: MakeDatabase) -> None:
    """So that another address of the registry, or another cluster, finds the same images."""
    here, there = "127.0.0.1:5600", "127.0.0.1:5700"
    url = make_database("")
    database = Database(url, here)
    with database.writing() as tx:
        command.upgrade(configuration(tx), "0016")
        _references_of_before(tx, here)
    migrate(database)
    with database.reading() as tx:
        texts = [tx.exec_driver_sql(f"SELECT {column} FROM {table}").scalar_one() for table, column in _REFERRING]
        before = deployments.plan_of(tx, 1)
    assert not [text for text in texts if here in text], "none is left"
    assert [text for text in texts if "/shop/api@sha256:" in text] == texts
    database.close()
    moved = Database(url, there)
    with moved.reading() as tx:
        release, plan, (job,) = releases.by_id(tx, 1), deployments.plan_of(tx, 1), pipelines.jobs_of(tx, 1)
        (instance,) = managed.present(tx)
    moved.close()
    assert before is not None
    assert before.stack == _STACK.format(at=here)
    assert plan is not None
    assert plan.stack == _STACK.format(at=there)
    assert plan.steps[0].subjects == (f"{there}/shop/api@sha256:1",)
    assert release.images == {f"{there}/shop/api:1": f"{there}/shop/api@sha256:1", "debian:12": "debian@sha256:2"}
    assert release.ports == {f"{there}/shop/api@sha256:1": (8000,)}
    assert instance.image == f"{there}/shop/api@sha256:1"
    assert job.spec.bases[0].meant == f"{there}/shop/api@sha256:1"


#: where references stand
_REFERRING = (
    ("releases", "images"),
    ("releases", "ports"),
    ("deployments", "plan"),
    ("managed_services", "image"),
    ("database_operations", "image"),
    ("database_operations", "former_image"),
    ("jobs", "spec"),
)
_STACK = """\
services:
  app:
    image: "{at}/shop/api@sha256:1"
x-cabestan:
  images: {{}}
  routes: []
  once:
    migrate:
      image: "{at}/shop/api@sha256:1"
"""


def _references_of_before(tx: sa.Connection, here: str) -> None:
    """Rows as the version before wrote them."""
    image = f"{here}/shop/api@sha256:1"
    steps = [{"kind": "pull", "subjects": [image], "deadline_seconds": 60}]
    plan = {name: [] for name in ("changes", "warnings", "hosts", "probes", "services", "secrets", "versions")}
    spec = {"name": "build", "stage": "build", "kind": "build", "image": "i", "script": "s", "needs": []}
    build = {"name": "api", "dockerfile": "Dockerfile", "context": "", "reference": "shop/api", "tags": []}
    rows: dict[str, dict[str, Any]] = {
        "projects": {"name": "shop/api", "default_branch": "main"},
        "environments": {"project_id": 1, "name": "staging", "position": 1, "target": "local", "trigger": "manual"}
        | {"branches": "[]", "approvers": "[]", "watch_seconds": 1},
        "pipelines": {"project_id": 1, "status": "succeeded", "source": "push"},
        "releases": {"project_id": 1, "pipeline_id": 1, "number": 1}
        | {"images": json.dumps({f"{here}/shop/api:1": image, "debian:12": "debian@sha256:2"})}
        | {"ports": json.dumps({image: [8000]})},
        "deployments": {"project_id": 1, "environment_id": 1, "release_id": 1, "status": "succeeded"}
        | {"plan": json.dumps(plan | {"steps": steps, "stack": _STACK.format(at=here), "fingerprint": ""})},
        "managed_services": {"project_id": 1, "environment_id": 1, "kind": "redis", "image": image}
        | {"password": b"", "memory": 64, "cpus": "1", "status": "serving"},
        "database_operations": {"managed_service_id": 1, "kind": "upgrade", "status": "succeeded"}
        | {"image": image, "former_image": image},
        "jobs": {"pipeline_id": 1, "project_id": 1, "position": 0, "name": "build", "status": "succeeded"}
        | {"spec": json.dumps(spec | {"environment": [], "build": build, "bases": [{"written": "a", "meant": image}]})},
    }
    for table, row in rows.items():
        columns = {name: sa.column(name) for name in (*row, "created_at")}
        given = row if table == "environments" else row | {"created_at": 0}
        tx.execute(sa.insert(sa.table(table, *columns.values())).values(given))


def _an_old_release(tx: sa.Connection) -> None:
    for statement in (
        "INSERT INTO projects (id, name, default_branch, created_at) VALUES (1, 'a/b', 'main', 0)",
        "INSERT INTO pipelines (id, project_id, created_at) VALUES (1, 1, 0)",
        "INSERT INTO releases (project_id, pipeline_id, number, images, compose_file, compose, created_at) "
        "VALUES (1, 1, 1, '{}', 'compose.yml', 'services: {é: {}}', 0)",
    ):
        tx.exec_driver_sql(statement)
