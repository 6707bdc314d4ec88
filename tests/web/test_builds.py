"""What builds ask for, each with the token of its own job, and what `docker login` asks for."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import Any

import httpx
import jwt
import pytest
from tests.engine.world import FILES, World
from tests.web.client import asking

from cabestan.domain.access import Role
from cabestan.domain.pipeline import Job
from cabestan.engine.building import intake
from cabestan.errors import CabestanError, EngineUnavailable, StorageFull

DIGEST = f"sha256:{'ab' * 32}"


def while_building(world: World, ask: Any) -> list[Any]:
    """What `ask(client, job, token)` gives while the job of a push runs."""
    project = world.project()
    world.push(project)
    found = []

    def run(run: Any) -> None:
        with asking(world) as client:
            found.append(ask(client, run.job, world.jobs.tokens[run.name]))

    world.jobs.while_running = run
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    return found


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_build_gets_its_source_with_its_own_token(world: World) -> None:
    def ask(client: httpx.Client, job: Job, token: str) -> list[str]:
        answer = client.get(f"/internal/jobs/{job.id}/source", headers=bearer(token))
        assert answer.status_code == 200, answer.text
        with tarfile.open(fileobj=BytesIO(answer.content)) as tar:
            return tar.getnames()

    [names] = while_building(world, ask)
    assert names == ["Dockerfile", "Dockerfile.dockerignore", "bases", "context", *(f"context/{f}" for f in FILES)]


def test_a_build_tells_its_image_and_no_other_ones(world: World) -> None:
    def ask(client: httpx.Client, job: Job, token: str) -> list[int]:
        told = {"digest": DIGEST}
        paths = (f"/internal/jobs/{job.id}/image", f"/internal/jobs/{job.id + 1}/image")
        return [client.put(path, json=told, headers=bearer(token)).status_code for path in paths]

    assert while_building(world, ask) == [[200, 403]]


@pytest.mark.parametrize(
    ("error", "status"), [(StorageFull("The disk is full."), 507), (EngineUnavailable("It is away."), 503)]
)
def test_what_passes_by_itself_is_no_answer_that_ends_a_build(
    world: World, monkeypatch: pytest.MonkeyPatch, error: CabestanError, status: int
) -> None:
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.setattr("cabestan.engine.building.build_sources.take_image", fails)
    monkeypatch.setattr("cabestan.engine.building.build_sources.source", fails)

    def ask(client: httpx.Client, job: Job, token: str) -> list[int]:
        where, headers = f"/internal/jobs/{job.id}", bearer(token)
        told = client.put(f"{where}/image", json={"digest": DIGEST}, headers=headers)
        return [told.status_code, client.get(f"{where}/source", headers=headers).status_code]

    assert while_building(world, ask)[0] == [status, status]


@pytest.mark.parametrize("path", ["source", "image"])
def test_people_and_strangers_have_no_business_there(world: World, path: str) -> None:
    world.user("root", admin=True)

    def ask(client: httpx.Client, job: Job, token: str) -> set[int]:
        method = "GET" if path == "source" else "PUT"
        where, body = f"/internal/jobs/{job.id}/{path}", None if path == "source" else {"digest": DIGEST}
        headers: list[dict[str, str]] = [{}, bearer("token-of-root"), bearer("x" * 43)]
        return {client.request(method, where, json=body, headers=one).status_code for one in headers}

    assert while_building(world, ask) == [{403}]


def test_what_is_over_gets_nothing(world: World) -> None:
    tokens = while_building(world, lambda _client, job, token: (job.id, token))
    [(job_id, token)] = tokens
    with asking(world) as client:
        assert client.get(f"/internal/jobs/{job_id}/source", headers=bearer(token)).status_code == 403


def rights(answer: httpx.Response) -> list[tuple[str, list[str]]]:
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    return [(one["name"], one["actions"]) for one in claims["access"]]


def test_people_get_tokens_for_what_they_may_see_and_pull_alone(world: World) -> None:
    world.user("ann", shop__api=Role.MAINTAINER)
    with asking(world) as client:
        asked = [
            ("scope", "repository:shop/api/web:pull,push"),
            ("scope", "repository:vic/app:pull repository:cabestan/python:pull"),
        ]
        answer = client.get("/registry/token", params=asked, auth=("anybody", "token-of-ann"))
        assert rights(answer) == [("shop/api/web", ["pull"]), ("cabestan/python", ["pull"])]
        assert rights(client.get("/registry/token", auth=("anybody", "token-of-ann"))) == []


@pytest.mark.parametrize("password", ["", "wrong", "\udcff"])
def test_who_brings_no_good_token_gets_none(world: World, password: str) -> None:
    with asking(world) as client:
        answer = client.get(
            "/registry/token", auth=("ann", password.encode("utf-8", "surrogateescape").decode("latin-1"))
        )
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
        assert client.get("/registry/token").status_code == 401
