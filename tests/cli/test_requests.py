"""What each command asks the server, compared whole, and its JSON: the API's answer as it came."""

from typing import Any

import pytest
from starlette.responses import Response
from tests.cli.conftest import Cli
from tests.cli.fake_server import TOKEN, Asked, FakeServer
from tests.cli.things import (
    ALERT,
    CERTIFICATE,
    DEPLOYMENT,
    ENVIRONMENT,
    JOB,
    PIPELINE,
    PLAN,
    PROJECT,
    RELEASE,
    RUN,
    SCHEDULE,
    SECRET,
    USER,
    VARIABLE,
)

P = "/projects/demo/hello"
E = f"{P}/environments/staging"

#: command, request, the server's answer, what is printed as JSON (None: the command prints none)
LISTS = [
    ("project list", "/projects", PROJECT),
    ("pipeline list -p demo/hello", f"{P}/pipelines", PIPELINE),
    ("release list -p demo/hello", f"{P}/releases", RELEASE),
    ("deployment list -p demo/hello", f"{P}/deployments", DEPLOYMENT),
    ("environment list -p demo/hello", f"{P}/environments", ENVIRONMENT),
    ("variable list -p demo/hello", f"{P}/variables", VARIABLE),
    ("secret list -p demo/hello", f"{P}/secrets", SECRET),
    ("user list", "/users", USER),
    ("alert list", "/alerts", ALERT),
    ("certificate list -p demo/hello", f"{P}/certificates", CERTIFICATE),
    ("certificate list --installation", "/certificates", CERTIFICATE),
    ("cron list -p demo/hello", f"{P}/schedules", SCHEDULE),
]
THINGS: list[tuple[str, Asked, Any]] = [
    ("project show demo/hello", Asked("GET", P), PROJECT),
    ("project show -p demo/hello", Asked("GET", P), PROJECT),
    ("project create demo/hello", Asked("POST", "/projects", {"name": "demo/hello"}), PROJECT),
    (
        "project create demo/hello --default-branch trunk",
        Asked("POST", "/projects", {"name": "demo/hello", "default_branch": "trunk"}),
        PROJECT,
    ),
    ("pipeline show 3", Asked("GET", "/pipelines/3"), PIPELINE),
    ("pipeline run -p demo/hello", Asked("POST", f"{P}/pipelines", {}), PIPELINE),
    ("pipeline run -p demo/hello -b x", Asked("POST", f"{P}/pipelines", {"branch": "x"}), PIPELINE),
    ("pipeline cancel 3", Asked("POST", "/pipelines/3/cancel", {}), PIPELINE),
    ("pipeline retry 3", Asked("POST", "/pipelines/3/retry", {}), PIPELINE),
    ("job show 7", Asked("GET", "/jobs/7"), JOB),
    ("release show 2 -p demo/hello", Asked("GET", f"{P}/releases/2"), RELEASE),
    ("plan -p demo/hello -e staging", Asked("GET", f"{E}/plan"), PLAN),
    ("plan -p demo/hello -e staging 2", Asked("GET", f"{E}/plan?release=2"), PLAN),
    ("deploy -p demo/hello -e staging", Asked("POST", f"{E}/deployments", {}), DEPLOYMENT),
    ("deploy -p demo/hello -e staging 2 --no-wait", Asked("POST", f"{E}/deployments", {"release": 2}), DEPLOYMENT),
    ("rollback -p demo/hello -e staging", Asked("POST", f"{E}/rollback", {}), DEPLOYMENT),
    ("rollback -p demo/hello -e staging --to 1 --yes", Asked("POST", f"{E}/rollback", {"release": 1}), DEPLOYMENT),
    ("deployment show 4", Asked("GET", "/deployments/4"), DEPLOYMENT),
    ("deployment reject 4", Asked("POST", "/deployments/4/reject", {}), DEPLOYMENT),
    ("deployment reject 4 --comment no", Asked("POST", "/deployments/4/reject", {"comment": "no"}), DEPLOYMENT),
    ("deployment cancel 4", Asked("POST", "/deployments/4/cancel", {}), DEPLOYMENT),
    ("cron cancel 9", Asked("POST", "/runs/9/cancel", {}), RUN),
    ("environment show staging -p demo/hello", Asked("GET", E), ENVIRONMENT),
    ("environment show review/x -p demo/hello", Asked("GET", f"{P}/environments/review/x"), ENVIRONMENT),
    ("environment set staging -p demo/hello", Asked("PUT", E, {}), ENVIRONMENT),
    (
        "environment set staging -p demo/hello --domain a.example --trigger manual --branch main --branch r/* "
        "--approver ada --approver bob --target t --watch-seconds 9 --plain-http yes --time-zone Europe/Paris "
        "--compose-file a.yml --compose-file b.yml --uptime no --uptime-path /health --uptime-status 204",
        Asked(
            "PUT",
            E,
            {
                "domain": "a.example",
                "trigger": "manual",
                "branches": ["main", "r/*"],
                "approvers": ["ada", "bob"],
                "target": "t",
                "watch_seconds": 9,
                "plain_http": True,
                "time_zone": "Europe/Paris",
                "compose_files": ["a.yml", "b.yml"],
                "uptime": False,
                "uptime_path": "/health",
                "uptime_status": 204,
            },
        ),
        ENVIRONMENT,
    ),
    ("alert show 1", Asked("GET", "/alerts/1"), ALERT),
    ("user create ada --admin", Asked("POST", "/users", {"name": "ada", "admin": True}), USER),
]


@pytest.mark.parametrize(("command", "path", "item"), LISTS)
def test_a_list_is_asked_for_and_printed_as_an_array(
    cli: Cli, server: FakeServer, command: str, path: str, item: dict[str, Any]
) -> None:
    server.lists(path, item, item)
    done = cli(*command.split(), "--json")
    assert (done.code, done.err, done.json) == (0, "", [item, item])
    assert server.asked == [Asked("GET", f"{path}?limit=50")]
    assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(("command", "path", "item"), LISTS)
def test_an_empty_list_is_an_empty_array_or_a_word_on_stderr(
    cli: Cli, server: FakeServer, command: str, path: str, item: dict[str, Any]
) -> None:
    server.lists(path)
    assert cli(*command.split(), "--json").json == []
    done = cli(*command.split())
    assert (done.code, done.out, done.err[:3]) == (0, "", "No ")


@pytest.mark.parametrize(("command", "asked", "answer"), THINGS)
def test_a_thing_is_asked_for_and_printed_as_it_came(
    cli: Cli, server: FakeServer, command: str, asked: Asked, answer: Any
) -> None:
    server.on(asked.method, asked.path.partition("?")[0], answer)
    done = cli(*command.split(), "--json")
    assert (done.code, done.err, done.json) == (0, "", answer)
    assert server.asked == [asked]


def test_a_list_follows_the_pages_up_to_its_limit(cli: Cli, server: FakeServer) -> None:
    server.series(
        "GET",
        "/projects",
        {"items": [{"name": f"a/{n}"} for n in range(200)], "next": "c"},
        {"items": [PROJECT] * 5, "next": "d"},
    )
    done = cli("project", "list", "--json", "--limit", "205")
    assert len(done.json) == 205
    assert server.asked == [Asked("GET", "/projects?limit=200"), Asked("GET", "/projects?limit=5&before=c")]


def test_deployments_and_variables_can_be_those_of_one_environment(cli: Cli, server: FakeServer) -> None:
    for noun in ("deployment", "variable", "secret"):
        server.lists(f"{P}/{noun}s")
        cli(noun, "list", "-p", "demo/hello", "-e", "staging", "--json")
    assert server.asked == [
        Asked("GET", f"{P}/{noun}s?limit=50&environment=staging") for noun in ("deployment", "variable", "secret")
    ]


def test_variables_are_set_and_unset_one_by_one(cli: Cli, server: FakeServer) -> None:
    for method, name in (("PUT", "A"), ("PUT", "B"), ("DELETE", "A")):
        server.on(method, f"{P}/variables/{name}", Response(status_code=204))
    server.lists(f"{P}/environments", {**ENVIRONMENT, "changed_variables": ["C"]})
    offer = Asked("GET", f"{P}/environments?limit=200")
    assert cli("variable", "set", "-p", "demo/hello", "-e", "staging", "A=1=2", "B=").err == "Set A, B.\n"
    assert cli("variable", "unset", "-p", "demo/hello", "A").err == "Unset A.\n"
    assert server.asked == [
        Asked("PUT", f"{P}/variables/A", {"value": "1=2", "environment": "staging"}),
        Asked("PUT", f"{P}/variables/B", {"value": "", "environment": "staging"}),
        offer,
        Asked("DELETE", f"{P}/variables/A"),
        offer,
    ]


def test_a_change_is_followed_by_the_command_that_deploys_the_same_release_again(cli: Cli, server: FakeServer) -> None:
    late = {**ENVIRONMENT, "release": 7, "changed_variables": ["API_KEY", "LEVEL"]}
    server.lists(f"{P}/environments", late, {**late, "name": "production", "changed_variables": []})
    server.on("PUT", f"{P}/secrets/SV_STAGING_API_KEY", Response(status_code=204))
    assert cli("secret", "set", "SV_STAGING_API_KEY", "-p", "demo/hello", stdin=b"x").err == (
        "Set SV_STAGING_API_KEY.\n"
        "demo/hello runs on staging without it; to deploy the same release again:\n"
        "  cabestan deploy 7 -e staging -p demo/hello\n"
    )


def test_flags_and_groups_go_with_what_is_set(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", "/groups/demo/variables/A", Response(status_code=204))
    server.on("PUT", f"{P}/secrets/B", Response(status_code=204))
    assert cli("variable", "set", "A=1", "--group", "demo", "--protected", "--no-masked").err == "Set A.\n"
    assert cli("secret", "set", "B", "-p", "demo/hello", "--masked", stdin=b"long enough").err == "Set B.\n"
    assert [asked for asked in server.asked if asked.method == "PUT"] == [
        Asked("PUT", "/groups/demo/variables/A", {"value": "1", "protected": True, "masked": False}),
        Asked("PUT", f"{P}/secrets/B", {"value": "long enough", "masked": True}),
    ]
    assert cli("variable", "set", "A=1", "--group", "demo", "-e", "staging").code == 2


def test_the_history_of_a_name_and_what_an_environment_gets_are_listed(cli: Cli, server: FakeServer) -> None:
    first = {**VARIABLE, "level": "project", "removed": False, "protected": True, "masked": False, "secret": False}
    removed = {**first, "version": 3, "value": "", "removed": True}
    server.lists(f"{P}/variables/COLOUR/history", removed, first)
    shown = cli("variable", "history", "COLOUR", "-p", "demo/hello").out.splitlines()
    assert [line.split("  ")[0] for line in shown] == ["VERSION", "3", "2"]
    assert "(removed)" in shown[1]
    assert "protected" in shown[2]
    secret = {**SECRET, "name": "KEY", "level": "group", "group": "demo", "kept_as": "SV_STAGING_KEY", "secret": True}
    server.lists(f"{P}/environments/staging/variables", first, secret)
    shown = cli("variable", "list", "--effective", "-e", "staging", "-p", "demo/hello").out.splitlines()
    assert ("project" in shown[1], "(secret)" in shown[2]) == (True, True)
    assert "group demo, as SV_STAGING_KEY" in shown[2]
    only = cli("secret", "list", "--effective", "-e", "staging", "-p", "demo/hello", "--json").json
    assert only == [secret]
    assert cli("variable", "list", "--effective", "-p", "demo/hello").code == 2


def test_branches_are_protected_and_a_pipeline_is_given_variables(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", f"{P}/protected-branches", {"name": "demo/hello", "protected_branches": ["main", "release/*"]})
    done = cli("project", "protect", "main", "release/*", "-p", "demo/hello")
    assert done.err == "Protected in demo/hello: main, release/*.\n"
    server.on("POST", f"{P}/pipelines", {**PIPELINE, "variables": {"X_A": "b=c"}})
    assert "X_A=b=c" in cli("pipeline", "run", "--variable", "X_A=b=c", "-p", "demo/hello").out
    assert server.asked == [
        Asked("PUT", f"{P}/protected-branches", {"branches": ["main", "release/*"]}),
        Asked("POST", f"{P}/pipelines", {"variables": {"X_A": "b=c"}}),
    ]


def test_a_secret_comes_from_stdin_or_a_file_to_the_last_byte(cli: Cli, server: FakeServer, tmp_path: Any) -> None:
    server.on("PUT", f"{P}/secrets/KEY", Response(status_code=204))
    server.on("DELETE", f"{P}/secrets/KEY", Response(status_code=204))
    (tmp_path / "key").write_bytes(b"pem\n")
    assert cli("secret", "set", "KEY", "-p", "demo/hello", stdin=b"a\nb\n").err == "Set KEY.\n"
    done = cli("secret", "set", "KEY", "-p", "demo/hello", "-e", "staging", "--from-file", "key")
    assert (done.code, done.out, done.err) == (0, "", "Set KEY.\n")
    assert cli("secret", "unset", "KEY", "-p", "demo/hello", "-e", "staging").code == 0
    assert [asked for asked in server.asked if asked.method != "GET"] == [
        Asked("PUT", f"{P}/secrets/KEY", {"value": "a\nb"}),
        Asked("PUT", f"{P}/secrets/KEY", {"value": "pem\n", "environment": "staging"}),
        Asked("DELETE", f"{P}/secrets/KEY?environment=staging"),
    ]


def test_what_was_set_is_printed_as_it_is_there_now(cli: Cli, server: FakeServer) -> None:
    for noun, item in (("variable", VARIABLE), ("secret", SECRET)):
        of_staging = {**item, "environment": "staging"}
        server.on("PUT", f"{P}/{noun}s/COLOUR", Response(status_code=204))
        server.lists(f"{P}/{noun}s", item, of_staging, {**of_staging, "name": "OTHER"})
        given = ["COLOUR=blue"] if noun == "variable" else ["COLOUR"]
        assert cli(noun, "set", *given, "-p", "demo/hello", "-e", "staging", "--json").json == [of_staging]


def test_a_secret_is_never_an_argument(cli: Cli, server: FakeServer) -> None:
    assert cli("secret", "set", "KEY=canary", "extra", "-p", "demo/hello").code == 2
    assert server.asked == []


def test_a_member_s_role_is_set_and_taken(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", f"{P}/members/ada", {})
    assert cli("member", "set", "ada", "developer", "-p", "demo/hello").err == "ada is developer of demo/hello.\n"
    assert cli("member", "set", "ada", "none", "-p", "demo/hello").code == 0
    assert server.asked == [
        Asked("PUT", f"{P}/members/ada", {"role": "developer"}),
        Asked("PUT", f"{P}/members/ada", {"role": None}),
    ]


def test_lists_can_be_emptied_by_an_empty_name(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", E, ENVIRONMENT)
    cli("environment", "set", "staging", "-p", "demo/hello", "--approver", "", "--domain", "")
    assert server.asked == [Asked("PUT", E, {"approvers": [], "domain": ""})]


def test_the_newest_pipeline_is_shown_when_none_is_named(cli: Cli, server: FakeServer) -> None:
    server.lists(f"{P}/pipelines", {"id": 3})
    server.on("GET", "/pipelines/3", PIPELINE)
    assert cli("pipeline", "show", "-p", "demo/hello", "--json").json == PIPELINE


def test_a_pipeline_of_another_project_is_left_alone(cli: Cli, server: FakeServer) -> None:
    server.on("GET", "/pipelines/3", PIPELINE)
    done = cli("pipeline", "cancel", "3", "-p", "other/one")
    assert (done.code, done.err) == (
        3,
        "error: Pipeline 3 is not one of other/one.\nhint: It belongs to demo/hello.\n",
    )
    assert server.asked == [Asked("GET", "/pipelines/3")]
