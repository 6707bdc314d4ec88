"""Asking, approving and waiting."""

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer, refusal
from tests.cli.terminal import on_a_terminal
from tests.cli.things import DEPLOYMENT, PLAN, STEP

E = "/projects/demo/hello/environments/staging"
WAITING = {**DEPLOYMENT, "status": "waiting", "approved_by": "", "steps": [], "approvals": []}
RUNNING = {**DEPLOYMENT, "status": "running", "steps": [STEP, {**STEP, "text": "Apply", "status": "running"}]}
DONE = {**DEPLOYMENT, "steps": [STEP, {**STEP, "text": "Apply"}]}


def test_a_deployment_is_waited_for_and_its_steps_are_told_once(cli: Cli, server: FakeServer) -> None:
    server.on("POST", f"{E}/deployments", {**DEPLOYMENT, "status": "queued", "steps": []})
    server.series("GET", "/deployments/4", RUNNING, refusal(503, "engine_unavailable", "Restarting."), RUNNING, DONE)
    done = cli("deploy", "-p", "demo/hello", "-e", "staging")
    assert (done.code, done.err) == (0, "✓ succeeded  Pull web  (42 s)\n✓ succeeded  Apply  (42 s)\n")
    assert "status       ✓ succeeded\n" in done.out
    assert "address      http://staging-hello-demo.localhost\n" in done.out


def test_deploying_stops_waiting_where_a_person_must_decide(cli: Cli, server: FakeServer) -> None:
    server.on("POST", f"{E}/deployments", WAITING)
    done = cli("deploy", "-p", "demo/hello", "-e", "staging")
    assert (done.code, done.err) == (0, "It waits for an approval: cabestan deployment approve 4\n")
    assert server.asked == [Asked("POST", f"{E}/deployments", {})]


def test_at_a_terminal_the_plan_of_the_newest_release_is_shown_and_asked_about(server: FakeServer) -> None:
    server.lists("/projects/demo/hello/releases", {"number": 2})
    server.on("GET", f"{E}/plan", PLAN)
    server.on("POST", f"{E}/deployments", DONE)
    command = ["deploy", "-p", "demo/hello", "-e", "staging"]
    no = on_a_terminal(command, typed=[("[y/N]", "n\n")])
    assert no.code == 1
    assert no.written.endswith("\nNothing was done.\n")
    assert "1. Pull web  (at most 900 s)" in no.written
    assert "Deploy release 2 of demo/hello to staging? [y/N]" in no.written
    assert on_a_terminal(command, typed=[("[y/N]", "y\n")]).code == 0
    asked = [Asked("GET", "/projects/demo/hello/releases?limit=1"), Asked("GET", f"{E}/plan?release=2")]
    assert server.asked == [*asked, *asked, Asked("POST", f"{E}/deployments", {"fingerprint": "f1", "release": 2})]


def test_an_approval_sends_the_fingerprint_of_the_plan_that_was_shown(server: FakeServer) -> None:
    server.on("GET", "/deployments/4", WAITING)
    server.on("POST", "/deployments/4/approve", RUNNING)
    done = on_a_terminal(["deployment", "approve", "4", "--comment", "fine"], typed=[("[y/N]", "y\n")])
    assert done.code == 0
    assert "image web: 89abcdef → 01234567" in done.written
    assert server.asked == [
        Asked("GET", "/deployments/4"),
        Asked("POST", "/deployments/4/approve", {"fingerprint": "f1", "comment": "fine"}),
    ]


@pytest.mark.parametrize(
    ("options", "fingerprint"), [([], "f1"), (["--yes"], "f1"), (["--fingerprint", "seen"], "seen")]
)
def test_a_script_is_not_asked(cli: Cli, server: FakeServer, options: list[str], fingerprint: str) -> None:
    server.on("GET", "/deployments/4", WAITING)
    server.on("POST", "/deployments/4/approve", RUNNING)
    assert cli("deployment", "approve", "4", *options).code == 0
    assert server.asked[-1] == Asked("POST", "/deployments/4/approve", {"fingerprint": fingerprint})


def test_what_is_not_shown_is_not_approved(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/deployments/4", WAITING)
    server.on("POST", "/deployments/4/approve", RUNNING)
    refused = cli("deployment", "approve", "4", "--json")
    assert (refused.code, server.asked) == (2, [])
    assert "With --json the plan is not shown, so it cannot be approved." in refused.err
    assert cli("deployment", "approve", "4", "--json", "--fingerprint", "seen").json == RUNNING


def test_an_approval_can_wait_for_the_end(cli: Cli, server: FakeServer) -> None:
    server.series("GET", "/deployments/4", WAITING, RUNNING, {**DONE, "status": "rolled_back", "reason": "web: died"})
    server.on("POST", "/deployments/4/approve", WAITING)
    done = cli("deployment", "approve", "4", "--wait", "--yes")
    assert done.code == 1
    assert done.err.endswith("error: Deployment 4 rolled back: web: died.\nhint: See: cabestan deployment show 4\n")


def test_a_void_approval_is_refused_in_the_server_s_words(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/deployments/4", WAITING)
    server.on("POST", "/deployments/4/approve", refusal(409, "conflict", "The plan has changed.", "Look again."))
    done = cli("deployment", "approve", "4", "--json", "--fingerprint", "f1")
    assert (done.code, done.out, done.err) == (3, "", "error: The plan has changed.\nhint: Look again.\n")


def test_a_rollback_shows_its_plan_and_asks_at_a_terminal(server: FakeServer) -> None:
    server.on("GET", f"{E}/plan", PLAN)
    server.on("POST", f"{E}/rollback", DONE)
    done = on_a_terminal(["rollback", "-p", "demo/hello", "-e", "staging", "--to", "1"], typed=[("[y/N]", "y\n")])
    assert "image web: 89abcdef → 01234567" in done.written
    assert "Put demo/hello staging back to release 1? [y/N]" in done.written
    assert server.asked == [
        Asked("GET", f"{E}/plan?release=1&rollback=true"),
        Asked("POST", f"{E}/rollback", {"fingerprint": "f1", "release": 1}),
    ]


def test_ctrl_c_at_the_question_does_nothing(server: FakeServer) -> None:
    server.on("GET", f"{E}/plan", PLAN)
    done = on_a_terminal(["rollback", "-p", "demo/hello", "-e", "staging"], typed=[("[y/N]", "\x03")])
    assert done.code == 130
    assert server.asked == [Asked("GET", f"{E}/plan?rollback=true")]


def test_what_waits_at_an_environment_is_approved_without_its_number(cli: Cli, server: FakeServer) -> None:
    server.lists("/projects/demo/hello/deployments", {"id": 5, "status": "failed"}, {"id": 4, "status": "waiting"})
    server.on("GET", "/deployments/4", {**WAITING, "plan": PLAN})
    server.on("POST", "/deployments/4/approve", RUNNING)
    assert cli("approve", "-e", "staging", "-p", "demo/hello").code == 0
    assert server.asked[-1] == Asked("POST", "/deployments/4/approve", {"fingerprint": "f1"})
    server.on("POST", "/deployments/4/reject", DONE)
    assert cli("reject", "-e", "staging", "-p", "demo/hello").code == 0
    assert server.asked[-1] == Asked("POST", "/deployments/4/reject", {})


def test_where_nothing_waits_nothing_is_approved(cli: Cli, server: FakeServer) -> None:
    server.lists("/projects/demo/hello/deployments", {"id": 5, "status": "failed"})
    done = cli("approve", "-e", "staging", "-p", "demo/hello")
    assert (done.code, "Nothing waits for an approval on staging of demo/hello." in done.err) == (2, True)
    none = cli("reject")
    assert (none.code, "Which deployment is meant?" in none.err) == (2, True)
