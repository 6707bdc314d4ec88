"""Every route denies by default: all are asked without a login, by a foreign user, by a reporter and by a job."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.engine.managed.samples import backed_up
from tests.engine.world import COMPOSE, ENDING, World
from tests.samples import set_status
from tests.web.client import Address, addresses, application, asking, sign_in, token

from cabestan.domain.access import Role, TokenScope
from cabestan.domain.deletion import DeletionKind, DeletionStatus
from cabestan.domain.outbox import Subject
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.engine.alerts import raise_alert
from cabestan.engine.building import intake
from cabestan.engine.deploying import settings
from cabestan.engine.running import cron
from cabestan.store import deletions, schedules, users
from cabestan.store.variables import Scope

#: all that anybody may ask for
PUBLIC = {
    "GET /api/v1/status",
    "GET /api/v1/ca",
    "GET /login",
    "POST /login",
    "GET /static",
}
#: asks for a login in its own way, or for a token of its own
OTHERWISE = {
    "GET /{group}/{name}.git/{path:path}",
    "POST /{group}/{name}.git/{path:path}",
    "POST /internal/pushes/{project_id}",
    "GET /internal/jobs/{job_id}/source",
    "PUT /internal/jobs/{job_id}/image",
    "GET /registry/token",
}
#: of no project, and for everybody who is signed in
EVERYBODYS = {
    "GET /",
    "GET /search",
    "GET /api/v1/openapi.json",
    "GET /api/v1/user",
    "GET /alerts",
    "GET /api/v1/alerts",
    "GET /api/v1/projects",
    "POST /logout",
    "GET /api/v1/deletions",
    "GET /deletions",
    "GET /api/v1/routes",
    "GET /api/v1/routes/match",
    "GET /api/v1/hosts",
    "GET /routes",
}
#: about the user who asks
ONES_OWN = {
    "GET /api/v1/user/tokens",
    "POST /api/v1/user/tokens",
    "DELETE /api/v1/user/tokens/{token_id}",
    "PUT /api/v1/user/password",
    "GET /account",
    "POST /account/password",
    "POST /account/tokens",
    "POST /account/tokens/delete",
    "GET /new",
    "POST /new",
}
#: never ends
STREAMS = {
    "GET /api/v1/changes",
    "GET /api/v1/projects/{group}/{name}/environments/{environment:path}/logs/stream",
}
ADMINISTRATORS = {
    "GET /api/v1/users",
    "POST /api/v1/users",
    "DELETE /api/v1/users/{user}",
    "GET /api/v1/users/{user}/tokens",
    "POST /api/v1/users/{user}/tokens",
    "DELETE /api/v1/users/{user}/tokens/{token_id}",
    "PUT /api/v1/users/{user}/password",
    "GET /users",
    "POST /users",
    "GET /users/{user}",
    "POST /users/{user}/password",
    "POST /users/{user}/tokens",
    "POST /users/{user}/tokens/delete",
    "POST /users/{user}/delete",
    "POST /api/v1/projects",
    "PUT /api/v1/hosts/{pattern}",
    "DELETE /api/v1/hosts/{pattern}",
    "GET /api/v1/certificates",
    "POST /api/v1/certificates",
    "DELETE /api/v1/certificates/{certificate}",
    "GET /certificates",
    "POST /certificates",
    "POST /certificates/remove",
}
EVERY = [
    address
    for address in addresses(application(SimpleNamespace(services=None)))  # type: ignore[arg-type]
    if address.name not in PUBLIC
]
PRIVATE = [address for address in EVERY if address.name not in OTHERWISE]
IN_PROJECT = [a for a in PRIVATE if a.name not in EVERYBODYS | ONES_OWN | STREAMS | ADMINISTRATORS]


def by_name(address: Address) -> str:
    return address.name


@pytest.fixture
def project(world: World) -> Project:
    """With a release, deployments, a variable and a secret: whatever is asked for by its number or name is there."""
    made = world.project()
    settings.put(world.services, Scope(made.id, ""), "LEVEL", "high", "dev", secret=False)
    settings.put(world.services, Scope(made.id, ""), "KEY", "canary", "dev", secret=True)
    for name, secret in (("LEVEL", False), ("KEY", True)):
        settings.put(world.services, Scope(group="shop"), name, "canary" if secret else "low", "dev", secret=secret)
    world.released(made, **{"docker-compose.yml": COMPOSE + ENDING})
    with world.services.database.reading() as tx:
        (schedule,) = schedules.of_project(tx, made.id)
    cron.run_now(world.services, schedule.id, "dev")
    world.durable.run()
    backed_up(world, world.environment(made, "staging"))
    raise_alert(world.services, "cron", "shop/api staging nightly", "It failed.", "", project=made)
    with world.services.database.writing() as tx:
        gone = {"project_id": made.id, "project": made.name, "environment_id": 99, "environment": "review"}
        deletion = deletions.begin(tx, DeletionKind.ENVIRONMENT, **gone, by="dev", saving=True, now=world.clock())
        deletions.update(tx, deletion.id, status=DeletionStatus.SUCCEEDED)
    world.user("foreign", other=Role.MAINTAINER)
    world.user("reporter", shop=Role.REPORTER)
    world.user("dev", shop=Role.DEVELOPER)
    return made


def test_the_lists_name_only_routes_that_there_are() -> None:
    there = {address.name for address in addresses(application(SimpleNamespace(services=None)))}  # type: ignore[arg-type]
    assert there >= PUBLIC | OTHERWISE | EVERYBODYS | ONES_OWN | STREAMS | ADMINISTRATORS
    assert len(IN_PROJECT) > 30


def test_without_a_login_nothing_is_told(world: World, project: Project) -> None:
    wrong = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic dG9rZW4tb2YtcmVwb3J0ZXI="},
        {"Cookie": "cabestan_session=token-of-reporter"},
    ]
    with asking(world) as client:
        for address in EVERY:
            for headers in wrong:
                answer = client.request(address.method, address.path, headers=headers, **address.body)
                assert "shop" not in answer.text or address.path in answer.text, address.name
                if address.path.startswith("/internal/"):
                    assert answer.status_code == 403, address.name
                elif address.path.startswith(("/api/", "/registry/")) or address.writes or ".git/" in address.path:
                    assert answer.status_code == 401, address.name
                else:
                    assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), address.name


def test_a_token_as_a_basic_password_is_for_git_alone(world: World, project: Project) -> None:
    with asking(world) as client:
        for address in PRIVATE:
            answer = client.request(address.method, address.path, auth=("x", "token-of-reporter"), **address.body)
            assert answer.status_code in (401, 303), address.name
        git = client.get("/shop/api.git/info/refs?service=git-upload-pack", auth=("x", "token-of-reporter"))
        assert git.status_code == 200


def test_a_foreign_user_finds_nothing(world: World, project: Project) -> None:
    with asking(world, **token("foreign")) as client:
        for address in IN_PROJECT:
            answer = client.request(address.method, address.path, **address.body)
            assert answer.status_code == 404, (address.name, answer.text)
            assert "shop/api" not in answer.text.replace(address.path, "") or "shop/api" in address.path, address.name
        for address in [a for a in PRIVATE if a.name in ADMINISTRATORS]:
            body = {"json": {"name": "shop/mine"}} if address.name == "POST /api/v1/projects" else address.body
            assert client.request(address.method, address.path, **body).status_code == 403, address.name
        for address in [a for a in PRIVATE if a.name in EVERYBODYS]:
            answer = client.request(address.method, address.path, **address.body)
            assert answer.status_code in (200, 303), address.name
            assert "shop" not in answer.text, address.name


def test_what_is_not_there_and_what_may_not_be_seen_look_the_same(world: World, project: Project) -> None:
    with asking(world, **token("foreign")) as client:
        kinds = ("pipelines", "jobs", "deployments", "schedules", "runs", "databases", "database-operations")
        for kind in kinds:
            there, nowhere = (client.get(f"/api/v1/{kind}/{number}") for number in (1, 999))
            assert there.text.replace(" 1.", " 999.") == nowhere.text
        there, nowhere = (client.get(f"/api/v1/projects/shop/{name}") for name in ("api", "none"))
        assert there.text.replace("api", "none") == nowhere.text


def test_a_reporter_sees_everything_and_changes_nothing(world: World, project: Project) -> None:
    with asking(world, **token("reporter")) as client:
        for address in IN_PROJECT:
            answer = client.request(address.method, address.path, **address.body)
            expected = (403,) if address.writes else (200,)
            assert answer.status_code in expected, (address.name, answer.status_code, answer.text[:300])
            assert "canary" not in answer.text, address.name
    assert world.stacks.called("remove") == []
    assert len(world.pipelines(project)) == 1


def test_a_token_for_reading_changes_nothing_whoever_has_it(world: World, project: Project) -> None:
    admin = world.user("admin", admin=True)
    with world.services.database.writing() as tx:
        users.add_token(tx, "only-reads", kind="personal", user_id=admin.id, now=world.clock(), scope=TokenScope.READ)
    with asking(world, Authorization="Bearer only-reads") as client:
        for address in [a for a in PRIVATE if a.name not in STREAMS and a.writes]:
            answer = client.request(address.method, address.path, **address.body)
            assert answer.status_code == 403, (address.name, answer.text[:300])
        for address in [a for a in IN_PROJECT if not a.writes]:
            assert client.get(address.path).status_code == 200, address.name
    assert len(world.pipelines(project)) == 1


def test_a_token_for_deploying_sets_and_deletes_nothing_whoever_has_it(world: World, project: Project) -> None:
    admin = world.user("admin", admin=True)
    with world.services.database.writing() as tx:
        users.add_token(tx, "deploys", kind="personal", user_id=admin.id, now=world.clock(), scope=TokenScope.DEPLOY)
    with asking(world, Authorization="Bearer deploys") as client:
        let_through = set()
        for address in [a for a in PRIVATE if a.name not in STREAMS and a.writes]:
            if client.request(address.method, address.path, **address.body).status_code != 403:
                let_through.add(address.name.replace("/api/v1", ""))
        assert {name for name in let_through if name.startswith("DELETE ")} == set()
        words = ("settings", "users", "password", "tokens", "members", "hosts", "secrets", "variables", "delete")
        assert {name for name in let_through if any(word in name for word in words)} == set()
        assert "POST /projects/{group}/{name}/pipelines" in let_through


def test_a_jobs_token_opens_no_page_and_no_api(world: World, project: Project) -> None:
    with world.services.database.writing() as tx:
        set_status(tx, Subject.JOB, 1, "running")
        users.add_token(tx, "of-the-job", kind="job", job_id=1, now=world.clock())
    with asking(world, Authorization="Bearer of-the-job") as client:
        for address in PRIVATE:
            answer = client.request(address.method, address.path, **address.body)
            assert answer.status_code in (401, 303), address.name


def test_a_session_changes_nothing_without_the_forms_token(world: World, project: Project) -> None:
    world.user("admin", admin=True)
    with asking(world) as client:
        sign_in(client, world, "admin")
        for address in PRIVATE:
            if address.writes:
                for headers in (
                    {},
                    {"X-CSRF-Token": ""},
                    {"X-CSRF-Token": "wrong"},
                    {"X-CSRF-Token": "ü".encode().hex()},
                ):
                    answer = client.request(address.method, address.path, headers=headers, **address.body)
                    assert answer.status_code == 403, (address.name, answer.text[:300])
                    assert "did not come from this site" in answer.text
    assert len(world.pipelines(project)) == 1


def test_a_failed_pipeline_is_no_exception(world: World) -> None:
    """A page of each thing in the state in which it has the most to tell."""
    made = world.project()
    world.user("reporter", shop=Role.REPORTER)
    world.jobs.exits = {("build", 1): Exit(1)}
    world.push(made)
    intake.take_pushes(world.services, made, "dev")
    world.durable.run()
    with asking(world, **token("reporter")) as client:
        for path in ("/", "/shop/api", "/shop/api/pipelines/1", "/shop/api/jobs/1", "/api/v1/pipelines/1"):
            assert client.get(path).status_code == 200, path
