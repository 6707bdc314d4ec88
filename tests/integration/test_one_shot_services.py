"""Services that run once in each deployment, before the others are switched over."""

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import APP, COMPOSE, unbuilt

pytestmark = pytest.mark.integration

_MIGRATE = """\
import os, sys, time
said = os.environ["SAYS_MIGRATION"]
with open("/data/ran", "a") as file:
    file.write(said + "\\n")
print("migrating with", os.environ["TOKEN"], flush=True)
print("to stderr", file=sys.stderr, flush=True)
time.sleep(float(os.environ.get("PAUSE", "0")))
print("ran so far:", open("/data/ran").read().split(), flush=True)
sys.exit(int(os.environ.get("CODE", "0")))
"""
_ONE_SHOTS = """\
  seed:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: python3 migrate.py
    restart: "no"
    depends_on:
      migrate: {condition: service_completed_successfully}
    environment: {SAYS_MIGRATION: "seed ${CI_COMMIT_SHORT_SHA}", TOKEN: none}
    volumes: ["./data:/data", "./migrate.py:/home/app/migrate.py:ro"]
  migrate:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: python3 migrate.py
    depends_on: [store]
    environment:
      SAYS_MIGRATION: "migrate-${CI_COMMIT_SHORT_SHA}"
      TOKEN: ${TOKEN}
      CODE: ${CODE:-0}
      PAUSE: ${PAUSE:-0}
    volumes: ["./data:/data", "./migrate.py:/home/app/migrate.py:ro"]
  store:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    command: [python3, app.py]
    volumes: ["./app.py:/home/app/app.py:ro"]
    environment: {SAYS: a store}
"""
_COMPOSE = COMPOSE.replace("    expose", "    depends_on: [seed]\n    expose", 1) + _ONE_SHOTS
FILES = unbuilt({"app.py": APP, "migrate.py": _MIGRATE, "docker-compose.yml": _COMPOSE})
_SECRET = "very-secret-token"


@pytest.fixture
def work(platform: Platform) -> Work:
    made = platform.make_project(FILES)
    platform.put(f"/projects/{made.name}/secrets/TOKEN", {"value": _SECRET})
    return made


def _texts(deployment: dict[str, object]) -> list[tuple[str, str]]:
    return [(step["text"].partition(":")[0].partition("@")[0], step["status"]) for step in deployment["steps"]]  # type: ignore[attr-defined]


def test_migrations_run_once_in_order_before_the_services_are_switched_over(work: Work) -> None:
    platform = work.platform
    first = work.deployed()
    assert first["status"] == "succeeded", first
    short = first["commit"][:8]
    assert [text for text, _ in _texts(first)][1:5] == [
        "Start first, for others need it",
        "Run migrate",
        "Run seed",
        "Apply the stack",
    ]
    log = platform.http.get(f"/api/v1/runs/{first['runs'][0]['id']}/log").text
    assert sorted(log.splitlines()) == [
        "migrating with [secret]",
        f"ran so far: ['migrate-{short}']",
        "to stderr",
    ]
    platform.becomes_tidy()


def test_a_migration_that_fails_leaves_what_serves_and_one_survives_a_kill(work: Work) -> None:
    platform = work.platform
    first = work.deployed()
    platform.put(f"/projects/{work.name}/variables/CODE", {"value": "5"})
    failed = work.deployed()
    assert failed["status"] == "failed", failed
    assert failed["reason"].startswith("migrate failed: Exit code 5.")
    assert platform.ask(work.host("staging")).text == f"one staging {first['commit']}"
    running = platform.get(f"/projects/{work.name}/environments/staging")
    assert (running["deployment"], running["status"]) == (first["id"], "failed")

    platform.put(f"/projects/{work.name}/variables/CODE", {"value": "0"})
    platform.put(f"/projects/{work.name}/variables/PAUSE", {"value": "4"})
    slow = work.pushed_to("staging")
    run = eventually(lambda: _running(platform, slow["id"]), 40, "the migration runs")
    platform.restart()
    ended = platform.wait_for_deployment(slow["id"])
    assert ended["status"] == "succeeded", ended
    log = platform.http.get(f"/api/v1/runs/{run}/log").text
    shas = [deployment["commit"][:8] for deployment in (first, failed, ended)]
    ran = [f"'migrate-{shas[0]}', 'seed', '{shas[0]}', 'migrate-{shas[1]}', 'migrate-{shas[2]}'"]
    assert [line for line in log.splitlines() if line.startswith("ran so far")] == [f"ran so far: [{ran[0]}]"]

    canceled = work.pushed_to("staging")
    eventually(lambda: _running(platform, canceled["id"]), 40, "the migration runs")
    platform.post(f"/deployments/{canceled['id']}/cancel")
    stopped = platform.wait_for_deployment(canceled["id"], 60)
    assert (stopped["status"], [r["status"] for r in stopped["runs"]]) == ("canceled", ["canceled"])
    platform.becomes_tidy()


def _running(platform: Platform, deployment: int) -> int | None:
    """The id of the run that prints already."""
    runs = platform.get(f"/deployments/{deployment}")["runs"]
    going = [run["id"] for run in runs if run["status"] == "running"]
    return going[0] if going and platform.http.get(f"/api/v1/runs/{going[0]}/log").text else None
