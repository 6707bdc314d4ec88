"""A whole server without an engine: the real app over a database and logs filled by hand, on a port of its own."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import sqlalchemy as sa
import uvicorn
from argon2 import PasswordHasher
from pydantic import SecretStr
from tests.e2e import databases, journal
from tests.samples import set_status

from cabestan.bootstrap import bootstrap
from cabestan.config import Settings
from cabestan.domain.access import Role
from cabestan.domain.deployment import Deployment, StepKind
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Pipeline, ScriptJob
from cabestan.domain.project import Project, RefChange
from cabestan.domain.release import Release
from cabestan.domain.run import Cause
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.domain.uptime import DAY, HOUR, Outage, Tally, day_of, hour_of
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.building import intake
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.deploying import deployments as deployment_engine
from cabestan.engine.deploying import settings as settings_engine
from cabestan.engine.deploying import waivers as waivers_engine
from cabestan.engine.durable import Durable
from cabestan.engine.names import certificates
from cabestan.engine.observing.asked import Asked
from cabestan.engine.running import cron
from cabestan.engine.running.service_runs import log_id as run_log_id
from cabestan.engine.services import Services
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.store import schedules as schedule_store
from cabestan.store import uptime as uptime_store
from cabestan.store import users as user_store
from cabestan.store.logs import LogWriter
from cabestan.store.variables import Scope
from cabestan.web.app import create_app

PROJECT = "demo/hello"
PASSWORD = "correct horse"
COMPOSE = """services:
  web:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    environment:
      ENVIRONMENT: ${CI_ENVIRONMENT_NAME}
    labels:
      traefik.enable: "true"
      traefik.port: "8000"
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    restart: "no"
  nightly-report:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    labels:
      sh.factory.cronjob.schedule: "30 2 * * mon-fri"
      sh.factory.cronjob.command: "./report.sh --month $$(date +%m) > /tmp/report && ./send.sh /tmp/report"
  tidy:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    labels:
      sh.factory.cronjob.schedule: "@hourly"
      sh.factory.cronjob.command: "rm -rf /tmp/old"
"""
#: of a variable, and no place to break in it
LONG_NAME = "A_VARIABLE_WITH_A_RATHER_LONG_NAME_THAT_SOMEBODY_CHOSE"
#: lines of the long log
LONG = 1_000_000


@dataclass
class Started:
    """Stands in the place of durable work: notes what would have been started."""

    workflows: list[str] = field(default_factory=list)

    def start(self, name: str, workflow_id: str, *_arguments: int) -> None:
        self.workflows.append(f"{name} {workflow_id}")

    def waits(self, _workflow_id: str) -> bool:
        return False


@dataclass
class Site:
    url: str
    services: Services
    started: Started
    project: Project
    #: name of a job to its id
    jobs: dict[str, int] = field(default_factory=dict)
    pipeline: int = 0
    waiting: int = 0
    rolled_back: int = 0
    #: service to its schedule on staging
    schedules: dict[str, int] = field(default_factory=dict)
    #: a run that failed, of a schedule, and the deployment that ran something once
    run: int = 0
    ran_once: int = 0
    database: int = 0

    def job_path(self, name: str) -> str:
        return f"/{PROJECT}/jobs/{self.jobs[name]}"


@contextmanager
def running_site(data: Path, database_url: str, listeners: list[socket.socket]) -> Iterator[Site]:
    port = listeners[0].getsockname()[1]
    cabestan = bootstrap(
        Settings(data=data, database_url=SecretStr(database_url), port=port, engine=f"unix://{data}/no-engine.sock")
    )
    started = Started()
    services = replace(cabestan.services, durable=cast(Durable, started))
    site = Site(f"http://127.0.0.1:{port}", services, started, intake.create_project(services, PROJECT, "main"))
    fill(site)
    app = create_app(services, on_start=lambda: None, on_stop=lambda: None)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=(listeners,))
    thread.start()
    try:
        _wait(server)
        yield site
    finally:
        server.should_exit = True
        thread.join()
        cabestan.close()


def fill(site: Site) -> None:
    """Users, a finished and a running pipeline, releases, what serves, what waits and what was rolled back."""
    services = site.services
    now = services.now()
    with services.database.writing() as tx:
        user_store.create(tx, "admin", admin=True, now=now, password_hash=PasswordHasher().hash(PASSWORD))
        reporter = user_store.create(tx, "rita", admin=False, now=now, password_hash=PasswordHasher().hash(PASSWORD))
        user_store.set_role(tx, reporter.id, PROJECT, Role.REPORTER)
        user_store.create(tx, "frank", admin=False, now=now, password_hash=PasswordHasher().hash(PASSWORD))
    settings_engine.put(services, Scope(site.project.id, ""), "GREETING", "hello", "admin", secret=False)
    for scope in ("", "production"):
        settings_engine.put(services, Scope(site.project.id, scope), LONG_NAME, "x" * 300, "admin", secret=False)
    settings_engine.put(
        services, Scope(site.project.id, "production"), "PASSWORD", "canary-secret-1234", "admin", secret=True
    )
    waivers_engine.waive(services, site.project, "no-root", "Given up again", "admin")
    waivers_engine.take_back(services, site.project, "no-root", "admin")
    waivers_engine.waive(services, site.project, "image-root", "The vendor's image knows no other user", "admin")
    certificates.issue_missing(services, ())
    raise_alert(
        services, "certificate", "www.example.org", "It ends on 2030-01-02.", "Bring one.", project=site.project
    )
    raise_alert(services, "backup", "of all", "It failed <twice>.", "Look at its log.")
    first = _pipeline(site, "1" * 40, "Greet by name", RunStatus.SUCCEEDED, ("lint", "build"))
    second = _pipeline(site, "2" * 40, "Say <b>good morning</b> & more", RunStatus.FAILED, ("long", "colours"))
    running = _pipeline(site, "3" * 40, "Add a worker", RunStatus.RUNNING, ("live",))
    site.pipeline = running.id
    _write_logs(site)
    releases = [_release(site, first), _release(site, second)]
    site.ran_once = _deploy(site, "staging", releases[0], DeploymentStatus.SUCCEEDED).id
    _deploy(site, "production", releases[0], DeploymentStatus.SUCCEEDED)
    site.rolled_back = _deploy(site, "staging", releases[1], DeploymentStatus.ROLLED_BACK).id
    site.waiting = _deploy(site, "production", releases[1], DeploymentStatus.WAITING).id
    _runs(site)
    _answered(site)
    with services.database.reading() as tx:
        production = environment_store.get(tx, site.project.id, "production")
        staging = environment_store.get(tx, site.project.id, "staging")
    journal.fill(services, staging.id)
    site.database = databases.fill(services, production).id
    _configure_more(services)


def _answered(site: Site) -> None:
    """A route of staging that was asked for a month, with an hour of outage, and does not answer now."""
    services, now = site.services, site.services.now()
    with services.database.writing() as tx:
        staging = environment_store.get(tx, site.project.id, "staging")
        (ask,) = Asked(services).of(staging)
        hours = [
            Tally(hour_of(now) - place * HOUR, 1, 60 - 20 * (place == 3), 20 * (place == 3)) for place in range(20)
        ]
        days = [Tally(day_of(now) - place * DAY, 24, 1440, 0, (0, 9, 9)) for place in range(2, 20)]
        uptime_store.add(tx, {ask.key: hours + days})
        reason, began = f"{ask.route} answers 502", now - 3 * HOUR
        outage = Outage(0, staging.id, staging.current_deployment_id or 0, ask.route, ask.service, reason, began)
        uptime_store.begin(tx, outage, 9)
    last = "Traceback:\n  File app.py\nKeyError: 'A_VARIABLE_WITH_A_RATHER_LONG_NAME'"
    raise_alert(
        services, "cron", f"{PROJECT} staging tidy", "It failed.", "`cron run`", words=last, project=site.project
    )
    clear_alert(services, "cron", f"{PROJECT} staging tidy")


def _configure_more(services: Services) -> None:
    """At the group's level, after what serves was deployed."""
    group = Scope(group="demo")
    settings_engine.put(services, group, "LEVEL", "info", "admin", secret=False, protected=True)
    settings_engine.put(services, group, "MAIL_TOKEN", "canary-masked", "admin", secret=False, masked=True)
    settings_engine.put(services, group, "SV_STAGING_API_KEY", "canary-secret-1234", "admin", secret=True)


def writer(site: Site, job: str) -> LogWriter:
    return site.services.logs.writer(log_id(site.jobs[job]))


def _pipeline(site: Site, commit: str, title: str, status: RunStatus, jobs: tuple[str, ...]) -> Pipeline:
    services, project = site.services, site.project
    now = services.now()
    ended = now if status.ended else None
    draft = Pipeline(0, project.id, project.name, commit, "main", title, "Ada", status, "", "admin", now, now, ended)
    change = RefChange("refs/heads/main", None, commit)
    with services.database.writing() as tx:
        event = project_store.add_event(tx, project.id, "push", change, "admin", now)
        made = pipeline_store.create(tx, draft, event)
        specs = tuple(ScriptJob(name, "build", image="cabestan/builder", script="true") for name in jobs)
        pipeline_store.add_jobs(tx, made, specs, now)
        for job in pipeline_store.jobs_of(tx, made.id):
            set_status(tx, Subject.JOB, job.id, status, started_at=now, finished_at=ended)
            site.jobs[job.name] = job.id
    return made


def _release(site: Site, pipeline: Pipeline) -> Release:
    image = f"{site.services.settings.registry}/{PROJECT}"
    images = {f"{image}:{pipeline.commit}": f"{image}@sha256:{pipeline.commit + '0' * 24}"}
    with site.services.database.writing() as tx:
        return release_store.create(
            tx, pipeline, images, "docker-compose.yml", {"docker-compose.yml": COMPOSE}, site.services.now()
        )


def _deploy(site: Site, environment: str, release: Release, status: DeploymentStatus) -> Deployment:
    """A deployment that arrived by the engine's own path, and then ended as the status says."""
    services = site.services
    with services.database.reading() as tx:
        target = environment_store.get(tx, site.project.id, environment)
    with services.database.writing() as tx:
        wanted = deployment_engine.Wanted(release, target, None)
        made = deployment_engine.arrive(services, tx, wanted, "admin")
        if status.ended:
            _end(tx, made.id, target.id, status, services.now())
    return made


def _end(tx: sa.Connection, key: int, environment_id: int, status: DeploymentStatus, now: datetime) -> None:
    begun = now - timedelta(seconds=8)
    good = status is DeploymentStatus.SUCCEEDED
    reason = "" if good else "web: task: non-zero exit (1). Release 1 serves again."
    set_status(tx, Subject.DEPLOYMENT, key, status, reason=reason, started_at=begun, finished_at=now)
    for place, kind in enumerate((StepKind.PULL, StepKind.APPLY, StepKind.WATCH)):
        word = "failed" if not good and kind is StepKind.WATCH else "succeeded"
        deployment_store.set_step(tx, key, kind, place, f"{kind.capitalize()} web", "running", begun)
        deployment_store.end_step(tx, key, place, word, "" if good else "web: non-zero exit (1)", now)
    if good:
        environment_store.update(tx, environment_id, current_deployment_id=key)


def _runs(site: Site) -> None:
    """Schedules on staging, one of them paused, the other with runs; and a migration, with its log."""
    services = site.services
    now = services.now()
    with services.database.writing() as tx:
        staging = environment_store.get(tx, site.project.id, "staging")
        plan = deployment_store.plan_of(tx, site.ran_once)
        assert plan
        cron.follow_release(services, tx, staging, site.ran_once, plan)
        made = schedule_store.of_environment(tx, staging.id)
        site.schedules = {schedule.service: schedule.id for schedule in made}
        report = schedule_store.get(tx, site.schedules["nightly-report"])
        for days, status in ((2, RunStatus.SUCCEEDED), (1, RunStatus.SKIPPED), (0, RunStatus.FAILED)):
            due = now - timedelta(days=days, minutes=3)
            reason = "" if status is RunStatus.SUCCEEDED else "Exit code 3. Its last line: no such file"
            row = run_store.scheduled(report, due_at=due, cause=Cause.DUE, by="", status=status, reason=reason, now=due)
            site.run = run_store.add_one(tx, row | {"started_at": due, "finished_at": due + timedelta(seconds=9)})
        place = {"project_id": site.project.id, "environment_id": staging.id, "deployment_id": site.ran_once}
        once = run_store.add_one_shot(tx, **place, service="migrate", by="admin", seconds=60, now=now)
        set_status(tx, Subject.RUN, once.id, RunStatus.SUCCEEDED, started_at=now, finished_at=now)
    cron.pause(services, site.schedules["tidy"], "rita")
    for key, text in ((site.run, b"reading\n\x1b[31mno such file\x1b[0m\n"), (once.id, b"3 tables made\n")):
        with services.logs.writer(run_log_id(key)) as log:
            log.attach("one")
            log.feed(text)
            log.end()


def _write_logs(site: Site) -> None:
    with writer(site, "long") as log:
        log.attach("one")
        for start in range(1, LONG, 10_000):
            lines = (
                f"line {n} {'needle ' if n % 250_000 == 0 else ''}of a long log" for n in range(start, start + 10_000)
            )
            log.feed("".join(f"{line}\n" for line in lines).encode())
        log.finish()
        log.end()
    with writer(site, "colours") as log:
        log.attach("one")
        log.feed(b"\x1b[1;31mred\x1b[0m <script>document.title='broken'</script>\n")
        log.feed(b"10%\r100%\n\x1b[38;2;10;200;30mtrue\x1b[0m\n")
        log.finish()
        log.end()


def _wait(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
