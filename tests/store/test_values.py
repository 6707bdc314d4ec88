"""What stands in the database as JSON text is read as it was meant, also what versions of before wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.samples import NOW, build_spec, plan, spec
from tests.store.rows import make_deployment, make_pipeline, make_project, make_release

from cabestan.domain.deployment import Plan
from cabestan.domain.pipeline import Base, BuildJob, ImageBuild, JobSpec
from cabestan.domain.route import Probe
from cabestan.store import deployments, pipelines
from cabestan.store.database import Database
from cabestan.store.values import dump, reader

_PLAN: dict[str, Any] = {
    "steps": [{"kind": "put back", "subjects": ["a", "b"], "deadline_seconds": 9}],
    "changes": [{"kind": "service added", "subject": "web", "text": "Service web is new"}],
    "warnings": ["doubtful"],
    "stack": "services: {é: {}}",
    "hosts": ["a.org"],
    "probes": [["a.org", "/"], {"host": "b.org", "path": "/x", "method": "HEAD", "headers": [["a", "b"]]}],
    "services": ["web"],
    "secrets": [],
    "versions": [["KEY", 3]],
    "fingerprint": "f",
}
_SPEC: dict[str, Any] = {
    "name": "build",
    "stage": "build",
    "kind": "build",
    "image": "i",
    "script": "true",
    "needs": ["a"],
    "environment": [["A", "1"]],
    "token": True,
    "build": {"name": "x", "dockerfile": "Dockerfile", "context": ".", "reference": "a/b", "tags": ["main"]},
}
_READ_SPEC = BuildJob(
    "build",
    "build",
    ("a",),
    image="i",
    environment=(("A", "1"),),
    build=ImageBuild("x", "Dockerfile", ".", "a/b", ("main",)),
)


def _stored_plan(database: Database, raw: dict[str, Any]) -> Plan | None:
    with database.writing() as tx:
        rows = make_project(tx)
        key = make_deployment(tx, rows.staging, make_release(tx, rows.project)).id
        tx.execute(sa.text("UPDATE deployments SET plan = :plan").bindparams(plan=json.dumps(raw)))
        return deployments.plan_of(tx, key)


def _stored_spec(database: Database, raw: dict[str, Any]) -> JobSpec:
    with database.writing() as tx:
        made = make_pipeline(tx, make_project(tx).project)
        pipelines.add_jobs(tx, made, (spec(),), NOW)
        tx.execute(sa.text("UPDATE jobs SET spec = :spec").bindparams(spec=json.dumps(raw)))
        return pipelines.jobs_of(tx, made.id)[0].spec


def test_a_plan_of_before_has_probes_as_pairs_and_no_compose_files(database: Database) -> None:
    read = _stored_plan(database, _PLAN)
    assert read
    assert read.probes == (Probe("a.org", "/"), Probe("b.org", "/x", "HEAD", (("a", "b"),)))
    assert (read.compose_files, read.hosts, read.secrets, read.versions) == ((), ("a.org",), (), (("KEY", 3),))
    assert [step.text for step in read.steps] == ["Put the previous release back: a, b"]
    assert read.changes[0].text == "Service web is new"


def test_a_deployment_without_a_plan_has_none(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        key = make_deployment(tx, rows.staging, make_release(tx, rows.project)).id
        tx.execute(sa.text("UPDATE deployments SET plan = ''"))
        assert deployments.plan_of(tx, key) is None


def test_a_job_of_before_has_the_defaults_of_what_it_does_not_name(database: Database) -> None:
    assert _stored_spec(database, _SPEC) == _READ_SPEC


def test_a_build_of_before_comes_back_with_all_that_a_build_has(database: Database) -> None:
    former = {"engine_socket": True, "base_images": ["b"], "bases": [{"written": "a", "meant": "b", "job": "c"}]}
    assert _stored_spec(database, _SPEC | former) == replace(
        _READ_SPEC, base_images=("b",), bases=(Base("a", "b", "c"),)
    )


def test_what_a_later_version_wrote_is_refused_rather_than_read_in_part(database: Database) -> None:
    with pytest.raises(TypeError, match="later"):
        _stored_plan(database, _PLAN | {"later": 1})


@pytest.mark.parametrize("value", [plan(), spec(), build_spec()])
def test_values_are_the_same_after_their_way_through_text(value: Plan | JobSpec) -> None:
    kind = Plan if isinstance(value, Plan) else JobSpec
    assert reader(kind)(json.loads(dump(value))) == value
