from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.engine.world import COMPOSE, ENDING, World
from tests.web.client import addresses, application, asking, token

from cabestan.domain.access import Role
from cabestan.domain.outcome import Exit
from cabestan.domain.project import Project
from cabestan.engine.building import intake
from cabestan.store.schema import metadata

DOCUMENTATION = Path(__file__).parents[2] / "docs/api.md"
AT = "/api/v1/projects/shop/api"


@pytest.fixture
def project(world: World) -> Project:
    made = world.project()
    world.user("dev", shop=Role.DEVELOPER)
    world.user("boss", shop=Role.MAINTAINER)
    world.user("admin", admin=True)
    return made


@pytest.fixture
def client(world: World, project: Project) -> Iterator[httpx.Client]:
    with asking(world, **token("boss")) as asked:
        yield asked


def keys(thing: str) -> set[str]:
    """Those that the documentation has for a thing."""
    row = re.search(rf"^\| {thing} \| (.+) \|$", DOCUMENTATION.read_text(), re.MULTILINE)
    assert row
    return set(re.findall(r"`(\w+)`", row[1]))


def documented() -> set[str]:
    """`GET /api/v1/pipelines/{}` and so on, of the table of addresses."""
    table = DOCUMENTATION.read_text().partition("## Addresses")[2].partition("## Live logs")[0]
    found = set()
    for line in table.splitlines():
        row = re.findall(r"`(GET|POST|PUT|DELETE) ([^\s`?]+)", line)
        for method, written in row:
            first = row[0][1]
            path = first if written == "…" else re.sub(r"^…", first.rpartition("/")[0], written)
            found.add(f"{method} /api/v1" + re.sub(r"(?<=/)(?:[A-Z]+)(?=/|$)", "{}", path))
    return found


def unnamed(method: str, path: str) -> str:
    return f"{method.upper()} {re.sub(r'{[^}]+}', '{}', path)}"


def test_the_openapi_document_the_table_and_the_routes_have_the_same_addresses(client: httpx.Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    described = {unnamed(method, path) for path, methods in paths.items() for method in methods}
    served = {
        unnamed(address.method, address.route.replace(":path", ""))
        for address in addresses(application(SimpleNamespace(services=None)))  # type: ignore[arg-type]
        if address.route.startswith("/api/v1/") and not address.route.endswith("openapi.json")
    }
    assert documented() == described == served
    assert len(served) > 30


def test_things_have_the_documented_keys(world: World, project: Project, client: httpx.Client) -> None:
    world.released(project, **{"docker-compose.yml": COMPOSE + ENDING})
    assert client.post("/api/v1/schedules/1/run").status_code == 201

    def got(path: str) -> dict[str, Any]:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def first(path: str) -> set[str]:
        listed = got(path)
        assert listed.keys() == {"items", "next"}
        return set(listed["items"][0])

    assert client.put(f"{AT}/variables/LEVEL", json={"value": "high"}).status_code == 204
    assert client.put(f"{AT}/secrets/KEY", json={"value": "canary"}).status_code == 204
    assert first("/api/v1/projects") == set(got(AT)) == keys("project")
    assert first(f"{AT}/pipelines") == keys("pipeline") - {"jobs", "advice"}
    assert set(got("/api/v1/pipelines/1")) == keys("pipeline")
    assert set(got("/api/v1/pipelines/1/progress")) == keys("progress")
    assert set(got("/api/v1/jobs/1")) == keys("job")
    assert first(f"{AT}/releases") == set(got(f"{AT}/releases/1")) == keys("release")
    assert first(f"{AT}/environments") == keys("environment") - {"availability", "outages"}
    assert set(got(f"{AT}/environments/staging")) == keys("environment")
    alone = {"plan", "evidence", "steps", "runs", "approvals", "variables"}
    assert first(f"{AT}/deployments") == keys("deployment") - alone
    assert set(got("/api/v1/deployments/1")) == keys("deployment")
    assert first(f"{AT}/schedules") == set(got("/api/v1/schedules/1")) == keys("schedule")
    assert first("/api/v1/schedules/1/runs") == set(got("/api/v1/runs/1")) == keys("run")
    plan = {"steps", "changes", "warnings", "fingerprint", "stack", "hosts", "secrets", "compose_files", "evidence"}
    assert set(got(f"{AT}/environments/staging/plan")) >= plan
    route_keys = keys("route") - {"kind", "options"}
    assert first("/api/v1/routes") == first("/api/v1/routes?project=shop/api") == route_keys
    assert got("/api/v1/routes/match?url=staging-api-shop.localhost")["answers"].keys() == route_keys
    assert first("/api/v1/hosts") == keys("host") - {"rule", "claim"}
    assert first(f"{AT}/variables") == keys("variable")
    assert first(f"{AT}/secrets") == keys("variable") - {"value"}
    assert got("/api/v1/status").keys() == {"version", "pid", "url", "instance"}


def test_pipelines_of_one_commit_are_found_by_the_beginning_of_its_id(
    world: World, project: Project, client: httpx.Client
) -> None:
    first, second = (world.released(project).commit for _ in range(2))

    def found(commit: str) -> list[str]:
        listed = client.get(f"{AT}/pipelines", params={"commit": commit}).json()["items"]
        return [pipeline["commit"] for pipeline in listed]

    assert [found(first), found(second[:12]), found("0" * 40)] == [[first], [second], []]
    assert client.get(f"{AT}/pipelines", params={"commit": "x%"}).status_code == 422


def test_progress_tells_of_jobs_and_deployments(world: World, project: Project, client: httpx.Client) -> None:
    world.released(project)
    told = client.get("/api/v1/pipelines/1/progress").json()
    assert (told["status"], told["release"], told["newer_release"]) == ("succeeded", 1, None)
    assert [(job["name"], job["status"], job["image"]) for job in told["jobs"]] == [
        ("lint", "succeeded", ""),
        ("build", "succeeded", "shop/api"),
    ]
    assert [(one["environment"], one["status"]) for one in told["deployments"]] == [
        ("staging", "succeeded"),
        ("production", "waiting"),
    ]
    assert {step["status"] for step in told["deployments"][0]["steps"]} == {"succeeded"}
    world.released(project)
    assert client.get("/api/v1/pipelines/1/progress").json()["newer_release"] == 2


def test_a_deployment_travels_from_the_wish_to_the_rollback(
    world: World, project: Project, client: httpx.Client
) -> None:
    world.released(project)
    world.released(project)
    with asking(world, **token("dev")) as dev:
        made = dev.post(f"{AT}/environments/production/deployments", json={"release": 2}).json()
        assert made["status"] == "waiting"
        one = f"/api/v1/deployments/{made['id']}"
        seen = dev.get(one).json()["plan"]["fingerprint"]
        assert dev.post(f"{one}/approve", json={"fingerprint": seen}).status_code == 403
    assert client.post(f"{one}/approve", json={"fingerprint": "another"}).status_code == 409
    approved = client.post(f"{one}/approve", json={"fingerprint": seen, "comment": "good"})
    assert (approved.json()["status"], approved.json()["approved_by"]) == ("queued", "boss")
    world.durable.run()
    assert client.get(f"{AT}/environments/production").json()["release"] == 2
    back = client.post(f"{AT}/environments/staging/rollback", json={})
    assert (back.status_code, back.json()["release"]) == (201, 1)
    world.durable.run()
    environment = client.get(f"{AT}/environments/staging").json()
    assert (environment["release"], environment["status"], environment["by"]) == (1, "succeeded", "boss")


def test_an_environment_has_a_time_zone_of_its_own(world: World, project: Project, client: httpx.Client) -> None:
    at = f"{AT}/environments/staging"
    assert client.put(at, json={"time_zone": "Europe/Paris"}).json()["time_zone"] == "Europe/Paris"
    assert client.put(at, json={"plain_http": True}).json()["time_zone"] == "Europe/Paris"
    assert client.put(at, json={"time_zone": "Europe/Atlantis"}).status_code == 422


def test_an_environment_names_its_compose_files(world: World, project: Project, client: httpx.Client) -> None:
    at = f"{AT}/environments/staging"
    assert client.get(at).json()["compose_files"] == []
    for files in (["docker-compose.yml", "deploy/staging.yml"], []):
        assert client.put(at, json={"compose_files": files}).json()["compose_files"] == files
        assert client.get(at).json()["compose_files"] == files


def test_an_environment_says_how_its_routes_are_asked(world: World, project: Project, client: httpx.Client) -> None:
    at = f"{AT}/environments/staging"
    first = client.get(at).json()
    assert (first["uptime"], first["uptime_path"], first["uptime_status"]) == (True, "", 0)
    wanted = {"uptime": False, "uptime_path": "/health?deep=1", "uptime_status": 204}
    assert client.put(at, json=wanted).json().items() >= wanted.items()
    assert client.put(at, json={"plain_http": True}).json().items() >= wanted.items()
    for wrong in ({"uptime_path": "health"}, {"uptime_path": "/a b"}, {"uptime_path": "/#x"}, {"uptime_status": 42}):
        refused = client.put(at, json=wrong)
        assert (refused.status_code, "Write one" in refused.json()["error"]["remedy"]) == (422, True)
    assert client.put(at, json={"uptime_path": "", "uptime_status": 0}).json()["uptime_path"] == ""


def test_pipelines_are_started_canceled_and_tried_again(world: World, project: Project, client: httpx.Client) -> None:
    world.push(project)
    intake.take_pushes(world.services, project, "dev")
    assert client.post("/api/v1/pipelines/1/cancel").json()["status"] == "canceled"
    world.durable.run()
    assert client.post("/api/v1/pipelines/1/retry").json()["status"] == "created"
    world.jobs.exits[("build", 1)] = Exit(1)
    world.durable.run()
    assert client.get("/api/v1/pipelines/1").json()["jobs"][1]["reason"] == "Exit code 1."
    started = client.post(f"{AT}/pipelines", json={"branch": "main"})
    assert (started.status_code, started.json()["by"]) == (201, "boss")
    assert client.post(f"{AT}/pipelines", json={"branch": "none"}).status_code == 409


def test_a_log_is_read_as_text_by_lines_and_as_a_stream(world: World, project: Project, client: httpx.Client) -> None:
    world.jobs.output["build"] = b"one\r\ntwo <b>\r\nthree\r\n"
    world.released(project)
    text = client.get("/api/v1/jobs/2/log").text
    assert "two <b>" in text
    assert client.get(f"/api/v1/jobs/2/log?offset={text.index('three')}").text.startswith("three")
    lines = client.get("/api/v1/jobs/2/log/lines?from=2&count=1").json()
    assert (lines["lines"][0]["text"].strip(), lines["size"]) == ("two <b>", len(text))
    found = client.get("/api/v1/jobs/2/log/search?q=TWO").json()
    assert found == {"matches": [2], "more": False, "next": None, "size": len(text)}
    stream = client.get("/api/v1/jobs/2/log/stream")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.endswith('event: end\ndata: {"status": "succeeded"}\n\n')


def test_a_log_comes_in_answers_of_bounded_size(world: World, project: Project, client: httpx.Client) -> None:
    """Lines may be as long as one likes, and logs too: an answer says where the next one goes on."""
    world.jobs.output["build"] = b"".join(b"%02d" % n + b"x" * (100 << 10) + b"\n" for n in range(40))
    world.released(project)
    seen, next_one, answers = [], 1, 0
    while next_one is not None:
        answer = client.get(f"/api/v1/jobs/2/log/lines?from={next_one}&count=5000")
        assert len(answer.content) <= 1_100_000
        seen += [line["number"] for line in answer.json()["lines"]]
        next_one, answers = answer.json()["next"], answers + 1
    assert (seen, answers) == (list(range(1, answer.json()["total"] + 1)), 3)


def test_a_search_says_how_far_it_looked_and_goes_on(
    world: World, project: Project, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.store.logs.reader.SEARCHED", 100_000)
    world.jobs.output["build"] = b"x" * 70_000 + b"\n" + b"y" * 70_000 + b" wanted\n"
    world.released(project)
    at = "/api/v1/jobs/2/log/search?q=wanted"
    first = client.get(at).json()
    assert (first["matches"], first["more"], first["next"] < 100_000 < first["size"]) == ([], False, True)
    second = client.get(f"{at}&offset={first['next']}").json()
    third = client.get(f"{at}&offset={second['next']}").json() if second["next"] else second
    (number,) = {*second["matches"], *third["matches"]}
    line = client.get(f"/api/v1/jobs/2/log/lines?from={number}&count=1").json()["lines"][0]
    assert (line["text"][:1], third["next"]) == ("y", None)


def test_pages_of_a_list_follow_each_other(world: World, project: Project, client: httpx.Client) -> None:
    world.push(project)
    for _ in range(5):
        intake.start_pipeline(world.services, project, "main", "dev")
    ids: list[int] = []
    before = ""
    while True:
        page = client.get(f"{AT}/pipelines?limit=2{before}").json()
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 5


HUGE = 10**30
WRONG = [
    ("GET", f"{AT}/pipelines?limit=0", None, 422),
    ("GET", f"{AT}/pipelines?limit=201", None, 422),
    ("GET", f"{AT}/pipelines?before=x", None, 422),
    ("GET", f"/api/v1/pipelines/{HUGE}", None, 422),
    ("GET", f"/api/v1/jobs/{-HUGE}", None, 422),
    ("GET", f"/api/v1/deployments/{2**63}", None, 422),
    ("GET", f"{AT}/releases/{HUGE}", None, 422),
    ("GET", "/api/v1/pipelines/0", None, 404),
    ("GET", "/api/v1/pipelines/x", None, 422),
    ("GET", "/api/v1/nothing", None, 404),
    ("DELETE", "/api/v1/status", None, 405),
    ("GET", "/api/v1/jobs/99/log", None, 404),
    ("POST", f"{AT}/environments/staging/deployments", {"release": HUGE}, 422),
    ("POST", f"{AT}/environments/none/deployments", {}, 404),
    ("POST", f"{AT}/environments/staging/deployments", {"relaese": 1}, 422),
    ("POST", f"{AT}/environments/staging/deployments", [], 422),
    ("POST", f"{AT}/pipelines", {"branch": "x" * 201}, 422),
    ("PUT", f"{AT}/variables/LEVEL", {"value": "x" * 65537}, 422),
    ("PUT", f"{AT}/variables/{'L' * 129}", {"value": "x"}, 422),
    ("PUT", f"{AT}/variables/CI_LEVEL", {"value": "x"}, 422),
    ("PUT", f"{AT}/variables/LEVEL", {"value": "a\0b"}, 422),
    ("PUT", f"{AT}/variables/LEVEL", {"value": 1}, 422),
    ("PUT", f"{AT}/variables/LEVEL", {"value": "x", "environment": "none"}, 404),
    ("PUT", f"{AT}/variables/LEVEL", {"value": "x", "more": "x"}, 422),
    ("DELETE", f"{AT}/variables/LEVEL", None, 404),
    ("PUT", f"{AT}/secrets/KEY", {"value": ""}, 422),
    ("PUT", f"{AT}/environments/{'x' * 41}", {}, 422),
    ("PUT", f"{AT}/environments/new", {"watch_seconds": HUGE}, 422),
    ("PUT", f"{AT}/environments/new", {"branches": ["main"] * 51}, 422),
    ("PUT", f"{AT}/environments/new", {"compose_files": ["../compose.yml"]}, 422),
    ("PUT", f"{AT}/environments/new", {"compose_files": ["compose.yml"] * 11}, 422),
    ("PUT", f"{AT}/environments/new", {"approvers": ["nobody"]}, 404),
    ("PUT", f"{AT}/environments/new", {"domain": "no host"}, 422),
    ("PUT", f"{AT}/environments/new", {"target": "elsewhere"}, 422),
    ("PUT", f"{AT}/environments/new", {"trigger": "sometimes"}, 422),
    ("PUT", f"{AT}/members/nobody", {"role": "reporter"}, 404),
    ("PUT", f"{AT}/members/dev", {"role": "king"}, 422),
    ("POST", "/api/v1/projects", {"name": "shop/api"}, 409),
    ("POST", "/api/v1/projects", {"name": "shop/" + "x" * 100}, 422),
    ("POST", "/api/v1/projects", {"name": "x" * 201}, 422),
    ("POST", "/api/v1/projects", {"name": "shop/new", "default_branch": "a..b"}, 422),
    ("POST", "/api/v1/projects", {"name": "shop/new", "default_branch": "*"}, 422),
    ("POST", "/api/v1/projects", {"name": "other/new"}, 403),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRONG)
def test_what_is_wrong_is_answered_in_one_shape(
    client: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    answer = client.request(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"code", "message", "remedy", "details"}
    assert error["message"]
    assert error["remedy"]
    assert len(answer.content) < 5000


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"a":1', b"", b'"x"', b"nan"])
def test_a_body_that_is_no_json_is_refused(client: httpx.Client, content: bytes) -> None:
    answer = client.put(f"{AT}/variables/LEVEL", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    "path", [f"{AT}%00", "/api/v1/projects/shop/%00", f"{AT}/variables?environment=%00", "/search?q=%00"]
)
def test_a_nul_character_breaks_nothing(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code in (200, 404, 422)


@pytest.mark.parametrize("comment", ["a\0b", "\ud800", "\u202e", "😀" * 1000, "<script>alert(1)</script>"])
def test_a_comment_may_hold_anything_or_is_refused(
    world: World, project: Project, client: httpx.Client, comment: str
) -> None:
    world.released(project)
    (waits,) = [d for d in client.get(f"{AT}/deployments").json()["items"] if d["status"] == "waiting"]
    body = json.dumps({"comment": comment}).encode()
    json_type = {"Content-Type": "application/json"}
    answer = client.post(f"/api/v1/deployments/{waits['id']}/reject", content=body, headers=json_type)
    assert answer.status_code in (200, 422), answer.text
    page = client.get(f"/shop/api/deployments/{waits['id']}")
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text


def test_a_user_is_made_by_an_administrator_and_the_token_is_shown_once(world: World, project: Project) -> None:
    with asking(world, **token("admin")) as admin:
        made = admin.post("/api/v1/users", json={"name": "new"})
        assert (made.status_code, made.json().keys()) == (201, {"name", "admin", "roles", "token"})
        secret = made.json()["token"]
        assert secret not in admin.get("/api/v1/users").text
        assert admin.post("/api/v1/users", json={"name": "new"}).status_code == 409
        assert admin.put(f"{AT}/members/new", json={"role": "reporter"}).status_code == 204
    with asking(world, Authorization=f"Bearer {secret}") as client:
        assert client.get("/api/v1/user").json() == {
            "name": "new",
            "admin": False,
            "roles": {"shop/api": "reporter"},
            "scope": "all",
        }
        assert client.get(AT).status_code == 200
    with world.services.database.reading() as tx:
        everything = str([tx.execute(table.select()).all() for table in metadata.sorted_tables])
    assert secret not in everything


def test_a_failure_of_ours_tells_nothing_of_the_inside(
    world: World, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("cabestan.web.api.projects.shapes.project", broken)
    answer = client.get(AT)
    assert (answer.status_code, "canary" in answer.text) == (500, False)
    assert answer.json()["error"]["code"] == "error"
