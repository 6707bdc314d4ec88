"""Nobody starves another: a project that floods the platform, and others that go on beside it.

With the real workflows, in threads, and everything else as in the other tests of the engine. Nothing here is timed:
what shall not wait for a build ends while all builds stand still.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import MakeDatabase
from tests.engine.world import World, register
from tests.samples import pipeline, set_status, spec

from cabestan.domain.deployment import Deployment
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import Job
from cabestan.domain.project import Project, RefChange
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.engine.building import pipelines
from cabestan.engine.deploying import deployments
from cabestan.engine.durable import Durable
from cabestan.engine.turns.places import places
from cabestan.engine.upkeep import recovery
from cabestan.errors import Conflict
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store

CREATED, RUNNING = RunStatus.CREATED, RunStatus.RUNNING
_SECONDS = 180
_FLOOD = 40


class Sleepers:
    """What the jobs of the flooding project do: sleep until they are told to end, or the process is killed."""

    def __init__(self, project_id: int) -> None:
        self.killed = False
        #: so many threads were ended as by the end of the process
        self.ended = 0
        self._project_id = project_id
        self._ends = threading.Semaphore(0)

    def __call__(self, run: Any) -> None:
        if run.job.project_id == self._project_id:
            self._ends.acquire()
            if self.killed:
                self.ended += 1
                raise SystemExit  # as the end of the process would

    def end(self, count: int = 1) -> None:
        self._ends.release(count)

    def kill(self) -> None:
        self.killed = True
        self.end(_FLOOD)


class Server:
    """The platform with its workflows in threads."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self._url = world, url
        self.flooding, self.quiet = world.project("shop/flood"), world.project("shop/quiet")
        world.released(self.quiet)
        self._start()

    def _start(self) -> None:
        services = self.world.services
        self.sleepers = self.world.jobs.while_running = Sleepers(self.flooding.id)
        self.durable = Durable(self._url, lambda _name: None, threading.Event(), places(services.settings))
        object.__setattr__(services, "durable", self.durable)
        register(services)
        self.durable.launch()

    def kill(self) -> None:
        """What does not sleep comes to its end before, for its connections' sake."""
        self.durable._dispatcher.stop()
        self.sleepers.kill()
        eventually(lambda: len(self.under_way()) == self.sleepers.ended)
        self.durable.close()

    def under_way(self) -> list[str]:
        return [name for name in self.durable.alive() if not self.durable.waits(name)]

    def restart(self) -> None:
        self.kill()
        self._start()
        recovery.reconcile(self.world.services)

    def add_pipeline(self, project: Project) -> int:
        """Its jobs have been decided on, and begin when `advance` says so."""
        with self.world.services.database.writing() as tx:
            made = pipeline(project_id=project.id, project=project.name)
            event = project_store.add_event(tx, project.id, "x", RefChange("x", "", "x"), "dev", made.created_at)
            made = store.create(tx, made, event)
            store.add_jobs(tx, made, (spec("sleeps"),), made.created_at)
            set_status(tx, Subject.PIPELINE, made.id, RUNNING)
        return made.id

    def begin(self, project: Project, count: int = 1) -> list[int]:
        made = [self.add_pipeline(project) for _ in range(count)]
        for key in made:
            pipelines.advance(self.world.services, key)
        return made

    def flood(self, count: int = _FLOOD) -> list[int]:
        """All places are taken afterwards, and the others of its jobs wait."""
        made = self.begin(self.flooding, count)
        eventually(self.is_full)
        return made

    def is_full(self) -> bool:
        return len(self.jobs(self.flooding, RUNNING)) == self.world.services.settings.parallel_jobs

    def jobs(self, project: Project, status: RunStatus) -> list[Job]:
        with self.world.services.database.reading() as tx:
            keys = tx.exec_driver_sql(f"select id from jobs where project_id = {project.id} and status = '{status}'")
            return [store.get_job(tx, key) for (key,) in keys.all()]

    def deploy(self) -> Deployment:
        """A person deploys what the quiet project released."""
        person = self.world.user("boss", admin=True)
        with self.world.services.database.reading() as tx:
            release = release_store.page(tx, self.quiet.id)[0]
        return deployments.deploy(
            self.world.services, self.world.environment(self.quiet, "production"), release, person
        )

    def succeeds(self, deployment: Deployment) -> bool:
        eventually(lambda: self.world.deployment(deployment.id).status.ended, lambda: self._stands(deployment))
        return self.world.deployment(deployment.id).status is DeploymentStatus.SUCCEEDED

    def _stands(self, deployment: Deployment) -> str:
        """What is known of one that does not end."""
        found, name = self.world.deployment(deployment.id), f"deployment-{deployment.id}"
        place = "in line" if self.durable.waits(name) else f"alive: {name in self.durable.alive()}"
        return f"{found.status}, {found.reason!r}, its workflow {place}"


def eventually(condition: Callable[[], bool], told: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{told()}\n{_threads()}"
        time.sleep(0.01)


def _threads() -> str:
    """What each of them is at: what is waited for in vain is a fault that few runs show."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame, 12))}"
        for ident, frame in sys._current_frames().items()
    )


@pytest.fixture
def server(world: World, make_database: MakeDatabase) -> Iterator[Server]:
    started = Server(world, make_database(""))
    yield started
    started.kill()


def test_a_deployment_goes_on_beside_hundreds_of_jobs_that_sleep_and_those_hold_no_thread(server: Server) -> None:
    server.flood(300)
    assert server.succeeds(server.deploy())
    running = server.world.services.settings.parallel_jobs
    assert len(server.jobs(server.flooding, CREATED)) == 300 - running
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("dbos-executor")]
    assert len(threads) <= running + 4  # those of the deployment, and of what began it


def test_the_first_job_of_another_project_gets_the_place_that_becomes_free_next(server: Server) -> None:
    server.world.jobs.calls.clear()
    server.flood()
    (key,) = server.begin(server.quiet)
    (job,) = server.world.jobs_of(server.world.pipeline(key))
    assert server.durable.waits(f"job-{job.id}-1")
    assert job.status is CREATED
    server.sleepers.end()
    eventually(lambda: server.world.pipeline(key).status.ended)
    begun = [name for (name,) in server.world.jobs.called("container")]
    (place,) = (place for place, name in enumerate(begun) if name.endswith(f"-job-{job.id}-1"))
    assert place == server.world.services.settings.parallel_jobs


def test_after_a_kill_as_many_run_as_before_and_a_deployment_goes_on_beside_them(server: Server) -> None:
    server.flood()
    former = {job.id for job in server.jobs(server.flooding, RUNNING)}
    server.restart()
    assert server.succeeds(server.deploy())
    eventually(server.is_full)
    assert {job.id for job in server.jobs(server.flooding, RUNNING)} == former
    (key,) = server.begin(server.quiet)
    server.sleepers.end()
    eventually(lambda: server.world.pipeline(key).status.ended)


def test_what_a_person_cancels_is_canceled_at_once_and_what_is_retried_comes_before_newer_ones(server: Server) -> None:
    _first, *others = server.flood()
    waiting = [key for key in others if server.world.jobs_of(server.world.pipeline(key))[0].status is CREATED]
    for key in waiting[:-1]:
        pipelines.cancel(server.world.services, key)
        assert server.world.pipeline(key).status is RunStatus.CANCELED
    with pytest.raises(Conflict):
        pipelines.cancel(server.world.services, waiting[0])
    pipelines.retry(server.world.services, waiting[0])
    (again,) = server.world.jobs_of(server.world.pipeline(waiting[0]))
    eventually(lambda: server.durable.waits(f"job-{again.id}-2"))
    server.sleepers.end()
    eventually(lambda: any(job.id == again.id for job in server.jobs(server.flooding, RUNNING)))
    assert server.world.jobs_of(server.world.pipeline(waiting[-1]))[0].status is CREATED
