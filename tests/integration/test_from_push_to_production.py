"""A commit's way to production, and what is refused or goes wrong on it."""

import re
import uuid

import pytest
from tests.integration.harness import Platform, eventually
from tests.integration.samples import APP, COMPOSE, DOCKERFILE, SMALL, unbuilt

pytestmark = pytest.mark.integration

#: two more ways of naming images, by names that the engine itself does not have
TAKES_FROM_OTHERS = """\
COPY --from=shop/base:1.2 /base.txt /copied.txt
RUN --mount=type=bind,from=cabestan/python,target=/python \\
    # and this
    cmp /copied.txt /base.txt && test -x /python/usr/bin/python3
"""


def _approve(platform: Platform, key: int) -> dict[str, object]:
    fingerprint = platform.get(f"/deployments/{key}")["plan"]["fingerprint"]
    platform.post(f"/deployments/{key}/approve", {"fingerprint": fingerprint})
    return platform.wait_for_deployment(key)


def _production(platform: Platform, name: str) -> list[tuple[int, str]]:
    return [(d["release"], d["status"]) for d in platform.deployments(name, "production")]


def test_a_commit_travels_to_production_and_back(platform: Platform) -> None:
    work = platform.make_project(SMALL)
    first = work.push()
    assert first.code == 0
    assert f"/{work.name}/pipelines/{first.pipeline}" in first.output
    assert first.pipeline
    assert platform.wait_for_pipeline(first.pipeline)["status"] == "succeeded"
    [staging] = platform.deployments(work.name, "staging")
    platform.succeeds(staging["id"])
    assert platform.ask(work.host("staging")).text == f"one staging {first.commit}"
    [waiting] = platform.deployments(work.name, "production")
    assert waiting["status"] == "waiting"
    assert platform.ask(work.host("production")).status_code == 404

    second = work.deployed()
    assert _production(platform, work.name) == [(2, "waiting"), (1, "superseded")]
    assert (
        platform.http.post(f"/api/v1/deployments/{waiting['id']}/approve", json={"fingerprint": "x"}).status_code == 409
    )
    newest = platform.deployments(work.name, "production")[0]
    assert _approve(platform, newest["id"])["status"] == "succeeded"
    platform.comes_to_say(work.host("production"), f"one production {second['commit']}")

    third = work.pushed_to("production")
    assert _approve(platform, third["id"])["status"] == "succeeded"
    back = platform.post(f"/projects/{work.name}/environments/production/rollback")
    platform.succeeds(back["id"])
    platform.comes_to_say(work.host("production"), f"one production {second['commit']}")
    platform.becomes_tidy()


def test_images_that_build_on_each_other_are_built_in_order_and_the_others_beside_them(platform: Platform) -> None:
    base = "# shop/base\n# VERSION 1.2\nFROM cabestan/python:3.11\nRUN echo from the base > /base.txt\nUSER 1001\n"
    reads = APP.replace('os.environ["SAYS"].encode()', 'open("/base.txt", "rb").read()')
    files = {
        "app.py": reads,
        "Dockerfile.base": base,
        "Dockerfile.web": DOCKERFILE.replace("cabestan/python:3.11", "shop/base:1.2").replace(
            "USER", f"{TAKES_FROM_OTHERS}USER", 1
        ),
        "Dockerfile-worker": "FROM cabestan/python:3.11\nUSER 1001\nCMD sleep 600\n",
        "docker-compose.yml": COMPOSE.replace(":${CI_COMMIT_SHA}\n    expose", "/web:${CI_COMMIT_SHA}\n    expose"),
    }
    work = platform.make_project(files)
    work.goes_live()
    [pipeline] = platform.pipelines(work.name)
    jobs = {job["name"]: job["needs"] for job in platform.get(f"/pipelines/{pipeline['id']}")["jobs"]}
    assert jobs == {
        "lint": [],
        "build worker": ["lint"],
        "build base": ["lint"],
        "build web": ["lint", "build base"],
    }
    assert platform.ask(work.host("staging")).text == "from the base\n"
    [release] = platform.get(f"/projects/{work.name}/releases")["items"]
    registry = f"127.0.0.1:{platform.registry_port}/{work.name}"
    assert f"{registry}/base:1.2" in release["images"]
    assert f"{registry}/web:{release['commit']}" in release["images"]


def test_an_approval_of_another_plan_than_the_present_one_is_refused(platform: Platform) -> None:
    work = platform.make_project(unbuilt())
    waiting = work.pushed_to("production")
    seen = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    platform.put(f"/projects/{work.name}/variables/COLOUR", {"value": "blue"})
    answer = platform.http.post(f"/api/v1/deployments/{waiting['id']}/approve", json={"fingerprint": seen})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert _approve(platform, waiting["id"])["status"] == "succeeded"


def test_a_push_with_a_wrong_token_is_refused(platform: Platform) -> None:
    work = platform.make_project(SMALL)
    refused = work.push(token="wrong")
    assert refused.code != 0
    assert "Authentication failed" in refused.output
    assert platform.pipelines(work.name) == []


def test_a_push_by_somebody_without_the_right_is_refused(platform: Platform) -> None:
    work = platform.make_project(SMALL)
    user = f"u{uuid.uuid4().hex[:8]}"
    token = platform.post("/users", {"name": user})["token"]
    assert work.push(token).code != 0
    platform.put(f"/projects/{work.name}/members/{user}", {"role": "reporter"})
    refused = work.push(token)
    assert refused.code != 0
    assert "403" in refused.output
    assert platform.pipelines(work.name) == []


def test_a_commit_that_cannot_be_understood_fails_with_file_and_line(platform: Platform) -> None:
    work = platform.make_project(SMALL | {"docker-compose.yml": COMPOSE + "    privileged: true\n"})
    pushed = work.push()
    assert pushed.pipeline
    pipeline = platform.wait_for_pipeline(pushed.pipeline)
    assert pipeline["status"] == "failed"
    assert "docker-compose.yml:10" in pipeline["reason"]
    assert platform.deployments(work.name) == []


def test_a_build_that_fails_is_told_by_the_step_s_own_last_lines_at_which_its_log_opens(platform: Platform) -> None:
    broken = DOCKERFILE.replace("COPY", "RUN echo no such module >&2; exit 3\nCOPY")
    work = platform.make_project(SMALL | {"Dockerfile": broken})
    pushed = work.push()
    assert pushed.pipeline
    ended = platform.wait_for_pipeline(pushed.pipeline)
    step = "Step 2/3 of the Dockerfile ended with exit code 3: RUN echo no such module >&2; exit 3"
    assert ended["reason"].splitlines() == [f"build: {step}", "    no such module"]
    job = next(job for job in ended["jobs"] if job["name"] == "build")
    [line] = platform.get(f"/jobs/{job['id']}/log/lines", **{"from": job["log_line"], "count": 1})["lines"]
    assert line["text"].endswith("no such module\r") or line["text"].endswith("no such module")


def test_a_first_deployment_that_fails_leaves_nothing(platform: Platform) -> None:
    dies = unbuilt()["docker-compose.yml"].replace("[python3, app.py]", "[sh, -c, 'echo no such database; exit 7']")
    work = platform.make_project(unbuilt() | {"docker-compose.yml": dies})
    failed = work.deployed()
    assert failed["status"] == "failed"
    words = ["app does not come up: its container ended with exit code 7.", "    no such database"]
    assert failed["reason"].splitlines()[:2] == words
    # those of other tests may be on their way out
    [(environment,)] = platform.rows(f"select environment_id from deployments where id = {failed['id']}")
    eventually(lambda: platform.of_environment(environment) == [], 60, "services and network go")
    assert [(s["kind"], s["status"]) for s in failed["steps"]] == [
        ("pull", "succeeded"),
        ("apply", "succeeded"),
        ("watch", "failed"),
        ("put back", "succeeded"),
    ]
    eventually(lambda: platform.ask(work.host("staging")).status_code == 404, 30, "the router knows it no more")
    work.files |= unbuilt()
    work.goes_live()


def test_a_release_that_does_not_come_up_is_taken_back_whole(platform: Platform) -> None:
    """Both services of the former release serve again, in the words of the task."""
    compose = unbuilt()["docker-compose.yml"]
    second = compose.partition("services:\n")[2].replace("  app:", "  other:").replace("Host:", "Host:other.")
    work = platform.make_project(unbuilt() | {"docker-compose.yml": compose + second})
    good = work.deployed()
    assert good["status"] == "succeeded", good
    broken = second.replace("[python3, app.py]", "[sh, -c, 'exit 7']")
    work.files |= {"docker-compose.yml": compose.replace("one", "two") + broken}
    bad = work.deployed()
    words = "other does not come up: its container ended with exit code 7."
    assert (bad["status"], bad["reason"]) == ("rolled_back", words)
    said = f"one staging {good['commit']}"
    for host in (work.host("staging"), f"other.{work.host('staging')}"):
        platform.comes_to_say(host, said)
    assert platform.get(f"/projects/{work.name}/environments/staging")["release"] == 1


def test_a_failed_health_check_is_told_in_the_words_of_the_task(platform: Platform) -> None:
    check = "    healthcheck: {test: 'echo nobody is there; exit 3', interval: 1s, retries: 4}\n"
    work = platform.make_project(unbuilt())
    work.goes_live()
    work.files |= unbuilt(SMALL | {"docker-compose.yml": COMPOSE + check})
    key = work.pushed_to("staging")["id"]

    def seen() -> str:
        details = [step["detail"] for step in platform.get(f"/deployments/{key}")["steps"] if step["kind"] == "watch"]
        return next((detail for detail in details if "health check failed" in detail), "")

    assert re.search("health check failed [0-9]+ ×: nobody is there", eventually(seen, 60, "it tells what it sees"))
    bad = platform.wait_for_deployment(key)
    assert bad["status"] == "rolled_back"
    headline, said = bad["reason"].splitlines()[:2]
    asked = "app is not healthy: its health check was asked [4-6] times and ended with exit code 3: echo .*; exit 3"
    assert re.fullmatch(asked, headline), headline
    assert said == "    nobody is there"


def test_a_wrong_port_is_told_with_the_one_that_is_listened_on(platform: Platform) -> None:
    wrong = COMPOSE.replace('traefik.port: "8000"', 'traefik.port: "8001"')
    work = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": wrong}))
    with platform.served_with(routes_seconds="5"):
        bad = work.deployed()
    assert bad["status"] == "failed"
    assert bad["reason"].splitlines()[0] == "app answers on nothing at port 8001; it listens on 8000."


def test_a_second_project_cannot_have_a_host_name_that_the_first_one_has(platform: Platform) -> None:
    host = f"{uuid.uuid4().hex[:8]}.localhost"
    taking = COMPOSE.replace("${CI_ENVIRONMENT_DOMAIN}", host)
    first = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": taking}))
    platform.put(f"/projects/{first.name}/environments/production", {"branches": ["none"]})
    first.goes_live()
    second = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": taking}))
    failed = second.deployed()
    assert failed["status"] == "failed"
    assert f"The host name {host} belongs to" in failed["reason"]
    assert platform.ask(host).text.startswith("one staging")


def test_an_environment_cannot_be_reached_from_another_nor_the_platform_from_any(platform: Platform) -> None:
    """Judged by who answers: a proxy of the network may accept connections to anything."""
    one, two = platform.make_project(unbuilt()), platform.make_project(unbuilt())
    said = f"one staging {one.deployed()['commit']}"
    two.goes_live()
    target, asking = _container(platform, one.name), _container(platform, two.name)
    addresses = [net["IPAddress"] for net in target.attrs["NetworkSettings"]["Networks"].values()]
    own = _container(platform, one.name)
    assert said in _answer(own, f"http://{addresses[0]}:8000/", 20)
    service = f"{target.labels['com.docker.swarm.service.name']}"
    gateway = next(iter(asking.attrs["NetworkSettings"]["Networks"].values()))["Gateway"]
    for place in (*addresses, service, target.name):
        assert said not in _answer(asking, f"http://{place}:8000/"), place
    for place in filter(None, (gateway, "172.17.0.1", "172.18.0.1", "127.0.0.1")):
        assert platform.instance not in _answer(asking, f"http://{place}:{platform.port}/api/v1/status")
        assert "repositories" not in _answer(asking, f"http://{place}:{platform.registry_port}/v2/_catalog")
    registry = platform.client.containers.get(f"{platform.instance}-registry")
    for net in registry.attrs["NetworkSettings"]["Networks"].values():
        assert "repositories" not in _answer(asking, f"http://{net['IPAddress']}:5000/v2/_catalog")


def _container(platform: Platform, project: str):
    label = {"label": [f"cabestan.project={project}", "cabestan.environment=staging"]}
    services = platform.client.services.list(filters=label)
    [task] = services[0].tasks({"desired-state": "running"})
    return platform.client.containers.get(task["Status"]["ContainerStatus"]["ContainerID"])


def _answer(container, url: str, seconds: int = 1) -> str:
    script = (
        "import urllib.request as r; "
        f"print(r.build_opener(r.ProxyHandler({{}})).open('{url}', timeout={seconds}).read().decode())"
    )
    return container.exec_run(["python3", "-c", script]).output.decode(errors="replace")


def test_a_full_disk_ends_clearly_and_the_retry_works(platform: Platform) -> None:
    """Judged by what must be free: more than any disk has."""
    work = platform.make_project(SMALL)
    with platform.served_with(free_bytes=str(2**60)):
        pushed = work.push()
        assert pushed.pipeline
        full = platform.wait_for_pipeline(pushed.pipeline)
    assert full["status"] == "failed"
    assert "MiB free" in full["reason"]
    platform.becomes_tidy()
    platform.post(f"/pipelines/{pushed.pipeline}/retry")
    assert platform.wait_for_pipeline(pushed.pipeline)["status"] == "succeeded"


def test_too_large_a_push_is_refused(platform: Platform) -> None:
    work = platform.make_project(SMALL)
    with platform.served_with(push_bytes="100000"):
        work.files |= {"large": "".join(uuid.uuid4().hex for _ in range(20_000))}
        refused = work.push()
    assert refused.code != 0
    assert "(the setting push_bytes)" in refused.output, refused.output
    assert platform.pipelines(work.name) == []
