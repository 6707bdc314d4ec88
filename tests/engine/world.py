"""The whole platform but for Docker: a real database, real repositories, a real vault, and fakes for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.engine.fakes import (
    FakeBuilders,
    FakeDatabases,
    FakeDurable,
    FakeEngine,
    FakeImages,
    FakeJobs,
    FakePlatform,
    FakeRegistry,
    FakeRuns,
    FakeStacks,
    FakeVolumes,
)
from tests.repositories import Checkout
from tests.samples import NOW

from cabestan.adapters.backup_files import BackupFiles
from cabestan.adapters.git import Repositories
from cabestan.adapters.local_images import LocalImages
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.vault import Vault
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.access import Role, User
from cabestan.domain.deployment import Deployment, Plan
from cabestan.domain.environment import Environment
from cabestan.domain.pipeline import Job, Pipeline
from cabestan.domain.project import Project
from cabestan.domain.references import moved
from cabestan.domain.release import Release
from cabestan.domain.target import LOCAL, Target
from cabestan.engine.alarm import Alarm
from cabestan.engine.building import build_sources, intake, pipelines, releases
from cabestan.engine.building.jobs import JobRunner
from cabestan.engine.changes import Changes
from cabestan.engine.cluster import Cluster, local_target
from cabestan.engine.deleting import workflow as deleting
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying import workflow as deploying
from cabestan.engine.managed import operations
from cabestan.engine.running.cron_runs import CronRunner
from cabestan.engine.services import Services
from cabestan.engine.settling import Settling
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import releases as release_store
from cabestan.store import users
from cabestan.store.database import Database
from cabestan.store.journal import Journals
from cabestan.store.logs import LogHub, LogStore

COMPOSE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    environment:
      LEVEL: ${LEVEL:-none}
      KEY: ${KEY:-}
    labels:
      traefik.enable: "true"
      traefik.port: "8000"
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
"""
#: services that run once, and by the clock
ENDING = """\
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    restart: "no"
  nightly:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    labels:
      sh.factory.cronjob.schedule: 30 2 * * *
      sh.factory.cronjob.command: echo $$KEY
"""
FILES = {"Dockerfile": "FROM cabestan/python:3.11\n", "docker-compose.yml": COMPOSE}


@dataclass
class Clock:
    """Goes on by a second with each look."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class World:
    services: Services
    checkout: Checkout
    durable: FakeDurable
    jobs: FakeJobs
    builders: FakeBuilders
    runs: FakeRuns
    stacks: FakeStacks
    databases: FakeDatabases
    registry: FakeRegistry
    platform: FakePlatform
    images: FakeImages
    clock: Clock
    volumes: FakeVolumes
    #: what is wrong with the answers through the router
    wrong_routes: dict[str, str] = field(default_factory=dict)

    def user(self, name: str, *, admin: bool = False, token: str = "", **roles: Role) -> User:
        """`roles` by scope; `shop__api` is the project shop/api. The token is `token-of-NAME`."""
        with self.services.database.writing() as tx:
            made = users.create(tx, name, admin=admin, now=self.clock())
            users.add_token(tx, token or f"token-of-{name}", kind="personal", user_id=made.id, now=self.clock())
            for scope, role in roles.items():
                users.set_role(tx, made.id, scope.replace("__", "/"), role)
            return users.get(tx, name)

    def project(self, name: str = "shop/api") -> Project:
        return intake.create_project(self.services, name, "main")

    def push(self, project: Project, files: dict[str, str] | None = None, branch: str = "main", **more: str) -> str:
        """Into the repository, behind the platform's back; gives the commit. `more` changes files."""
        commit = self.checkout.commit((FILES if files is None else files) | more)
        self.checkout.hand_over(self.services.repositories.path(project.id), commit, branch)
        return commit

    def released(self, project: Project, **more: str) -> Release:
        """What a push makes, once everything has run that can."""
        self.push(project, FILES | {"again": str(self.clock())} | more)
        (pipeline,) = intake.take_pushes(self.services, project, "dev")
        self.durable.run()
        with self.services.database.reading() as tx:
            release = release_store.of_pipeline(tx, pipeline.id)
        assert release, self.pipeline(pipeline.id)
        return release

    def pipeline(self, key: int) -> Pipeline:
        with self.services.database.reading() as tx:
            return pipeline_store.get(tx, key)

    def pipelines(self, project: Project) -> tuple[Pipeline, ...]:
        """The oldest first."""
        with self.services.database.reading() as tx:
            return pipeline_store.page(tx, project.id)[::-1]

    def jobs_of(self, pipeline: Pipeline) -> tuple[Job, ...]:
        with self.services.database.reading() as tx:
            return pipeline_store.jobs_of(tx, pipeline.id)

    def environment(self, project: Project, name: str) -> Environment:
        with self.services.database.reading() as tx:
            return environment_store.get(tx, project.id, name)

    def deployment(self, key: int) -> Deployment:
        with self.services.database.reading() as tx:
            return deployment_store.get(tx, key)

    def deployments(self, environment: Environment) -> tuple[Deployment, ...]:
        """The oldest first."""
        with self.services.database.reading() as tx:
            return deployment_store.page(tx, environment_id=environment.id)[::-1]

    def plan(self, deployment: Deployment) -> Plan:
        with self.services.database.reading() as tx:
            plan = deployment_store.plan_of(tx, deployment.id)
        assert plan
        return plan

    def log(self, job: Job) -> str:
        return b"".join(self.services.logs.reader(f"job-{job.id}").chunks(0)).decode()


def register(services: Services) -> None:
    """All workflows."""
    pipelines.register(services)
    JobRunner(services).register()
    releases.register(services)
    deploying.register(services)
    CronRunner(services).register()
    deleting.register(services)
    operations.register(services, partial(deployments.configuration_changed, services))


def fake_cluster(
    target: Target,
    chosen: Settings,
    stacks: FakeStacks,
    runs: FakeRuns,
    databases: FakeDatabases,
    platform: FakePlatform,
    wrong_routes: Mapping[str, str] = MappingProxyType({}),
    volumes: FakeVolumes | None = None,
) -> Cluster:
    engine = FakeEngine()
    return Cluster(
        target=target,
        router=docker_names.router(chosen.instance),
        engine=engine,
        nodes=Nodes(engine),
        stacks=stacks,  # type: ignore[arg-type]
        runs=runs,  # type: ignore[arg-type]
        databases=databases,  # type: ignore[arg-type]
        volumes=volumes or FakeVolumes(),  # type: ignore[arg-type]
        platform=platform,  # type: ignore[arg-type]
        images=LocalImages(engine, target.registry),
        here=moved(chosen.registry, target.registry),
        probe=lambda wanted: wrong_routes.get(wanted.host, ""),
    )


def make_world(folder: Path, database: Database, **settings: Any) -> World:
    clock, durable = Clock(), FakeDurable()
    jobs, stacks, registry, platform = FakeJobs(), FakeStacks(), FakeRegistry(), FakePlatform()
    builders = FakeBuilders()
    images = FakeImages()
    runs = FakeRuns()
    databases = FakeDatabases()
    volumes = FakeVolumes()
    wrong_routes: dict[str, str] = {}
    quick = {"watch_seconds": 0, "free_bytes": 0, "routes_seconds": 1, "healthy_seconds": 1, "push_follow_seconds": 0}
    given: dict[str, Any] = {"data": folder / "data", "registry_port": 5600, **quick, **settings}
    chosen = Settings(**given)
    chosen.data.mkdir()
    home = fake_cluster(local_target(chosen), chosen, stacks, runs, databases, platform, wrong_routes, volumes)
    services = Services(
        settings=chosen,
        database=database,
        vault=Vault(b"k" * 32),
        repositories=Repositories(chosen.data / "repositories"),
        clusters={LOCAL: home},
        jobs=jobs,  # type: ignore[arg-type]
        builders=builders,  # type: ignore[arg-type]
        backups=BackupFiles(chosen.data / "backups"),
        registry=registry,  # type: ignore[arg-type]
        images=images,  # type: ignore[arg-type]
        logs=LogStore(chosen.data / "logs"),
        journals=Journals(chosen.data / "journals"),
        settling=Settling(),
        hub=LogHub(),
        changes=Changes(),
        durable=durable,  # type: ignore[arg-type]
        alarm=Alarm(),
        now=clock,
    )
    jobs.tell = lambda run, digest: build_sources.take_image(services, run.job.id, digest)
    register(services)
    checkout = Checkout.make(folder / "checkout")
    return World(
        services,
        checkout,
        durable,
        jobs,
        builders,
        runs,
        stacks,
        databases,
        registry,
        platform,
        images,
        clock,
        volumes,
        wrong_routes,
    )
