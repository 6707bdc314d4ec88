"""Rows that others hang on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from tests.samples import NOW, pipeline, plan

from cabestan.domain.deployment import Deployment
from cabestan.domain.environment import FIRST_ENVIRONMENTS, Environment
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.project import Project, RefChange
from cabestan.domain.release import Release
from cabestan.domain.status import DeploymentStatus
from cabestan.store import deployments, environments, pipelines, projects, releases


@dataclass(frozen=True)
class Rows:
    """A project with its two environments."""

    project: Project
    staging: Environment
    production: Environment


def make_project(tx: sa.Connection, name: str = "shop/api") -> Rows:
    project = projects.create(tx, name, "main", NOW)
    for draft in FIRST_ENVIRONMENTS:
        environments.create(tx, project, draft, "local", 5, "")
    return Rows(project, *environments.of_project(tx, project.id))


def make_pipeline(tx: sa.Connection, project: Project, branch: str = "main", **changes: Any) -> Pipeline:
    event = projects.add_event(tx, project.id, "request", RefChange(f"refs/heads/{branch}", None, "1"), "dev", NOW)
    of_project = {"project_id": project.id, "project": project.name, "branch": branch}
    return pipelines.create(tx, pipeline(**of_project, **changes), event)


def make_release(tx: sa.Connection, project: Project) -> Release:
    return releases.create(
        tx, make_pipeline(tx, project), {"a": "a@sha256:1"}, "compose.yml", {"compose.yml": "services: {}"}, NOW
    )


def make_deployment(
    tx: sa.Connection, environment: Environment, release: Release, status: DeploymentStatus = DeploymentStatus.QUEUED
) -> Deployment:
    made = deployments.create(
        tx,
        project_id=environment.project_id,
        environment_id=environment.id,
        release_id=release.id,
        status=status,
        by="dev",
        url="http://x",
        restores_id=None,
        now=NOW,
    )
    deployments.set_plan(tx, made.id, plan())
    return made
