"""What people read, where the output is not a terminal: aligned, whole, plain."""

import re

import pytest
from tests.cli.conftest import Cli
from tests.cli.fake_server import FakeServer
from tests.cli.terminal import on_a_terminal
from tests.cli.things import DEPLOYMENT, ENVIRONMENT, JOB, PIPELINE, PLAN, PROJECT, RELEASE, USER, VARIABLE

from cabestan.config import Settings
from cabestan.engine.upkeep.doctor import Finding, Health

P = "/projects/demo/hello"


def test_pipelines_stand_in_columns(cli: Cli, server: FakeServer) -> None:
    server.lists(f"{P}/pipelines", PIPELINE, {**PIPELINE, "id": 12, "status": "running", "branch": "feature/x"})
    assert cli("pipeline", "list", "-p", "demo/hello").out == (
        "ID  STATUS     BRANCH     COMMIT    TITLE                              BY   CREATED     TOOK\n"
        "3   ✗ failed   main       01234567  Say [bold]hello[/bold][U+001B][2J  ada  2024-05-01  42 s\n"
        "12  ◐ running  feature/x  01234567  Say [bold]hello[/bold][U+001B][2J  ada  2024-05-01  42 s\n"
    )


def test_a_pipeline_is_shown_with_its_jobs(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/pipelines/3", PIPELINE)
    assert cli("pipeline", "show", "3").out == (
        "✗ failed: build web failed\n"
        "\n"
        "pipeline  3\n"
        "project   demo/hello\n"
        "status    ✗ failed\n"
        "branch    main\n"
        "commit    0123456789abcdef0123456789abcdef01234567\n"
        "title     Say [bold]hello[/bold][U+001B][2J\n"
        "author    Ada\n"
        "by        ada\n"
        "created   2024-05-01\n"
        "took      42 s\n"
        "page      http://cabestan.example/pipelines/3\n"
        "note: no Compose file\n"
        "\n"
        "Jobs\n"
        "ID  STATUS    STAGE  NAME       KIND   TOOK  REASON\n"
        "7   ✗ failed  build  build web  build  42 s  exit code 2\n"
    )


def test_a_plan_shows_steps_changes_and_warnings(cli: Cli, server: FakeServer) -> None:
    server.on("GET", f"{P}/environments/staging/plan", PLAN)
    assert cli("plan", "-p", "demo/hello", "-e", "staging").out == (
        "\nSteps\n"
        "1. Pull web  (at most 900 s)\n"
        "2. Apply the stack: web\n"
        "\nChanges\n"
        "image web: 89abcdef → 01234567\n"
        "warning: ports are not published\n"
    )


def test_a_deployment_is_shown_with_plan_steps_and_approvals(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/deployments/4", DEPLOYMENT)
    out = cli("deployment", "show", "4").out
    assert out.startswith("deployment   4\nproject      demo/hello\nenvironment  staging\n")
    assert out.endswith(
        "\nSteps done\n"
        "STATUS       STEP      TOOK  DETAIL\n"
        "✓ succeeded  Pull web  42 s\n"
        "\nApprovals\n"
        "BY   APPROVED  COMMENT  WHEN        VOID\n"
        "bob  yes       fine     2024-05-01\n"
    )


def test_an_environment_is_shown_with_its_services(cli: Cli, server: FakeServer) -> None:
    server.on("GET", f"{P}/environments/staging", ENVIRONMENT)
    out = cli("environment", "show", "staging", "-p", "demo/hello").out
    assert out.startswith(
        "! web is degraded: 1 of 2 run, exit code 1.\n    no [U+001B][31mroom\n    left\nLook at it.\n\nenvironment"
    )
    assert "address          http://staging-hello-demo.localhost\n" in out
    assert "state            ! degraded\n" in out
    table = out.partition("\nServices\n")[2]
    assert [line.split() for line in table.splitlines()][:2] == [
        ["NAME", "STATE", "RUN", "RESTARTS", "LAST", "EXIT", "IMAGE"],
        ["web", "!", "degraded", "1", "of", "2", "4", "exit", "code", "1"],
    ]


def test_a_release_is_shown_with_its_images(cli: Cli, server: FakeServer) -> None:
    for images in ({"web": "r@sha256:1"}, [{"name": "web", "digest": "r@sha256:1"}], ["web  r@sha256:1"]):
        server.on("GET", f"{P}/releases/2", {**RELEASE, "images": images})
        assert cli("release", "show", "2", "-p", "demo/hello").out.endswith("\nImages\nweb  r@sha256:1\n")


def test_other_things_have_their_lines(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/jobs/7", JOB)
    server.on("GET", P, PROJECT)
    server.lists(f"{P}/variables", VARIABLE)
    assert cli("job", "show", "7").out.startswith("✗ failed: exit code 2\n\njob       7\nname      build web\n")
    assert cli("project", "show", "demo/hello").out.endswith("page     http://cabestan.example/demo/hello\n")
    assert "COLOUR  blue ⏎ and green" in cli("variable", "list", "-p", "demo/hello").out


def test_a_new_user_s_token_is_alone_on_stdout(cli: Cli, server: FakeServer) -> None:
    server.on("POST", "/users", USER)
    assert cli("user", "create", "ada").out == "new-token\n"


def test_users_stand_with_their_roles(cli: Cli, server: FakeServer) -> None:
    server.lists("/users", USER)
    assert cli("user", "list").out == "NAME  ADMINISTRATOR  ROLES\nada   yes            demo/hello: developer\n"


def test_json_escapes_what_a_terminal_would_obey(cli: Cli, server: FakeServer) -> None:
    server.on("GET", P, {"name": "é\x1b[2J\x9b\u202e"})
    done = cli("project", "show", "demo/hello", "--json")
    assert done.out == '{\n  "name": "é\\u001b[2J\\u009b\\u202e"\n}\n'
    assert done.json == {"name": "é\x1b[2J\x9b\u202e"}


def test_nothing_is_cut_where_the_output_is_not_a_terminal(cli: Cli, server: FakeServer) -> None:
    server.lists("/projects", {**PROJECT, "git_url": "http://h/" + "x" * 500})
    assert "http://h/" + "x" * 500 in cli("project", "list").out


def test_a_wide_terminal_gets_columns_and_colours(server: FakeServer) -> None:
    server.lists(f"{P}/environments", ENVIRONMENT)
    out = on_a_terminal(["environment", "list", "-p", "demo/hello"]).written
    assert len(out.splitlines()) == 2
    assert "\x1b[32m✓ succeeded" in out


def test_a_narrow_terminal_gets_a_table_that_says_what_it_leaves_out(server: FakeServer) -> None:
    server.lists(f"{P}/environments", ENVIRONMENT)
    out = on_a_terminal(["environment", "list", "-p", "demo/hello"], columns=60, no_color=True).written
    assert re.sub("\x1b\\[[0-9;]*m", "", out).replace("  \n", "\n") == (
        "NAME     STATE       DEPLOYMENT   RELEASE  COMMIT\n"
        "staging  ! degraded  ✓ succeeded  2        01234567\n"
        "No room for: since, by, address. A wider terminal shows all, and so does --json.\n"
    )


def test_a_finding_of_the_doctor_cannot_move_the_cursor(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (Finding("alerts", Health.WARNING, "a\x1b[2J", "b\x9b2J"),)
    monkeypatch.setattr("cabestan.config.read_settings", Settings)
    monkeypatch.setattr("cabestan.engine.upkeep.doctor.examine", lambda _: found)
    assert cli("doctor").out == "! alerts    a[U+001B][2J\n            b[U+009B]2J\n"


def test_the_certificate_of_the_authority_is_text(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/ca", {"certificate": "-----BEGIN\x1b[2J\n"})
    assert cli("ca").out == "-----BEGIN[U+001B][2J\n"


def test_wide_characters_take_two_columns(cli: Cli, server: FakeServer) -> None:
    wide = {**PIPELINE, "branch": "机能/日本", "title": "🚀 Start", "author": ""}
    server.lists(f"{P}/pipelines", wide, {**PIPELINE, "id": 12})
    assert cli("pipeline", "list", "-p", "demo/hello").out == (
        "ID  STATUS    BRANCH     COMMIT    TITLE                              BY   CREATED     TOOK\n"
        "3   ✗ failed  机能/日本  01234567  🚀 Start                           ada  2024-05-01  42 s\n"
        "12  ✗ failed  main       01234567  Say [bold]hello[/bold][U+001B][2J  ada  2024-05-01  42 s\n"
    )


def test_a_list_is_the_same_with_and_without_colours(
    cli: Cli, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.lists(f"{P}/pipelines", PIPELINE, {**PIPELINE, "id": 12, "status": "running", "branch": "功能"})
    plain = cli("pipeline", "list", "-p", "demo/hello").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = cli("pipeline", "list", "-p", "demo/hello").out
    assert "\x1b[" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured).replace(" \n", "\n") == plain
