"""Texts that Swarm would take for templates arrive byte for byte: in a job, a run and a service; too much is told."""

import json
import uuid
from contextlib import closing

import pytest
from tests import samples
from tests.integration.harness import Platform, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import JobContainer, JobContainers, JobRun, Limits
from cabestan.adapters.node_engines import NodeContainer, Nodes
from cabestan.domain.outcome import Exit

pytestmark = pytest.mark.integration
_MESSAGE = 'see {{ user }} {{.Node.Hostname}}\n\n{{printf "%0900000000d" 1}} {{"{{"}} $HOME ${HOME} $$ é😀\t\\ \'"'
_NASTY = {
    "NASTY_A": "{{.Node.ID}} {{",
    "NASTY_B": '{{{{"{{"}} `{{`}} {{- /* */ -}} {',
    "NASTY_C": "a\nb: {{x}}\r\n# $A ${NASTY_A} $$ \\ ' \" \x01\x7f\x85\u2028 é😀 ",
    "NASTY_D": "{" * 60_000,
}
_SHOWN = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k[:5] in ('NASTY', 'MESSA')}))"
_APP = SMALL["app.py"].replace('os.environ["SAYS"].encode()', "SHOWN.encode()")
_FILES = {
    **SMALL,
    "show.py": _SHOWN,
    "app.py": f"import subprocess\nSHOWN = subprocess.check_output(['python3', 'show.py'], text=True)\n{_APP}",
    "Dockerfile": SMALL["Dockerfile"].replace("COPY app.py", "COPY app.py show.py"),
    "docker-compose.yml": COMPOSE.replace(
        "      SAYS: one ${CI_ENVIRONMENT_NAME} ${CI_COMMIT_SHA}\n",
        "      MESSAGE: '${CI_COMMIT_MESSAGE}'\n"
        "      NASTY_A: '${NASTY_A}'\n      NASTY_B: '${NASTY_B}'\n      NASTY_C: '${NASTY_C}'\n"
        "      NASTY_D: '${NASTY_D}'\n      NASTY_E: '{${NASTY_B}{x}}'\n",
    ),
}
_ENVIRONMENT = _FILES["docker-compose.yml"].partition("    environment:\n")[2].partition("    labels:")[0]
_FILES["docker-compose.yml"] += (
    "  once:\n    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}\n    restart: 'no'\n"
    f"    command: [python3, show.py, '{{{{.Node.ID}}}}']\n    environment:\n{_ENVIRONMENT}"
)


def test_braces_arrive_in_job_run_and_service(platform: Platform) -> None:
    """NASTY_B and NASTY_D are secrets; the message is that of the commit, whose build starts at all."""
    work = platform.make_project(_FILES)
    for name, value in _NASTY.items():
        kind = "secrets" if name in ("NASTY_B", "NASTY_D") else "variables"
        platform.put(f"/projects/{work.name}/{kind}/{name}", {"value": value})
    work.message = _MESSAGE
    deployment = work.deployed()
    assert deployment["status"] == "succeeded", deployment
    wanted = {**_NASTY, "NASTY_E": "{" + _NASTY["NASTY_B"] + "{x}}", "MESSAGE": _MESSAGE}
    assert json.loads(platform.ask(work.host("staging")).text) == wanted
    [run] = deployment["runs"]
    log = platform.http.get(f"/api/v1/runs/{run['id']}/log").text
    assert json.loads(log.splitlines()[0])["MESSAGE"] == _MESSAGE
    changes = [change["text"] for change in deployment["plan"]["changes"]]
    assert "variable added app.NASTY_A: {{.Node.ID}} {{" in changes
    assert _told_by_a_job(platform, {**_NASTY, "MESSAGE": _MESSAGE}) == {**_NASTY, "MESSAGE": _MESSAGE}


def test_secrets_that_no_service_takes_together_are_told_by_name(platform: Platform) -> None:
    """40 of 60 KB: the engine is handed nothing."""
    names = [f"BIG_{number}" for number in range(40)]
    lines = "".join(f"      {name}: ${{{name}}}\n" for name in names)
    work = platform.make_project(
        unbuilt(SMALL | {"docker-compose.yml": COMPOSE.replace("      SAYS:", f"{lines}      SAYS:")})
    )
    for name in names:
        platform.put(f"/projects/{work.name}/secrets/{name}", {"value": "x" * 60_000})
    ended = work.deployed()
    assert ended["status"] == "failed", ended
    assert "BIG_10 (60,007), BIG_11 (60,007)" in ended["reason"]


def _told_by_a_job(platform: Platform, environment: dict[str, str]) -> object:
    """As any job is run, with a script that tells what it got."""
    made_of = JobContainer("cabestan/python:3.11", ("python3", "-c", _SHOWN), environment, Limits(60))
    run = JobRun(f"{platform.instance}-{uuid.uuid4().hex[:4]}", samples.job(id=900_000_000), 1)
    engine = Engine(platform.engine)
    with closing(engine.client):
        jobs = JobContainers(Nodes(engine), run.instance)
        try:
            jobs.start(run, made_of, None)
            container = jobs.container(run, given_up=lambda: False)
            assert isinstance(container, NodeContainer), container
            ended = eventually(lambda: jobs.exit_of(container), 30, "the job ends")
            words = engine.client.api.logs(container.id)
            assert ended == Exit(0), words
            return json.loads(words)
        finally:
            jobs.remove(run)
