"""A committed `.env` beside what a deployment has."""

from __future__ import annotations

import pytest

from cabestan.compose.dotenv import Assignment, check_dotenv, read_dotenv

COMPOSE = "services: {web: {environment: {A: '${LEVEL:-x}', B: $KEY, C: '${CI_COMMIT_SHA}'}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("# LEVEL=1\n\nnot an assignment\n", ()),
        ("LEVEL=1", (Assignment("LEVEL", "1", 1),)),
        ("LEVEL=1\nLEVEL=2", (Assignment("LEVEL", "2", 2),)),
        ("export LEVEL = a b  # why\n", (Assignment("LEVEL", "a b", 1),)),
        ("LEVEL='a # b'\nKEY=\"\"\n", (Assignment("LEVEL", "a # b", 1, literal=True), Assignment("KEY", "", 2))),
        ("LEVEL\n", ()),
    ],
)
def test_assignments_are_read_as_compose_reads_them(text: str, expected: tuple[Assignment, ...]) -> None:
    assert read_dotenv(text) == expected


def findings(dotenv: str, platform: dict[str, str], *hidden: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in check_dotenv(dotenv, [COMPOSE], platform, hidden)]


def test_what_is_the_same_unused_or_a_stand_in_is_no_matter() -> None:
    assert findings("CI_COMMIT_SHA=dev\nTRAEFIK_PORT=80\nLEVEL=info\n", {"LEVEL": "info", "CI_COMMIT_SHA": "1"}) == []


def test_another_value_is_told_with_its_line_and_a_hidden_one_by_name_alone() -> None:
    dotenv = "\nLEVEL=debug\nKEY=dev-canary\n"
    assert findings(dotenv, {"LEVEL": "info", "KEY": "canary"}, "KEY") == [
        (2, "LEVEL is 'debug' in .env and 'info' in a deployment."),
        (3, "KEY in .env is not what a deployment has."),
    ]


def test_what_a_deployment_does_not_have_is_told() -> None:
    (finding,) = check_dotenv("LEVEL=debug\n", [COMPOSE], {})
    assert (finding.code, finding.severity, finding.file, finding.line, finding.path) == (
        "env-file-differs",
        "warning",
        ".env",
        1,
        "LEVEL",
    )
    assert finding.message == "LEVEL is set in .env alone: a deployment does not have it."


def test_what_a_managed_service_sets_is_not_called_missing() -> None:
    compose = ["services: {web: {environment: {A: $POSTGRES_DB, B: $POSTGRES_USER}}}\n"]
    told = check_dotenv("POSTGRES_DB=dev\nPOSTGRES_USER=dev\n", compose, {"POSTGRES_USER": "own"})
    assert [finding.message for finding in told] == ["POSTGRES_USER is 'dev' in .env and 'own' in a deployment."]


@pytest.mark.parametrize(
    ("environment", "used"),
    [
        ("{DATABASE_URL: 'postgresql://${POSTGRES_USER:-dev}@postgresql/shop'}", False),
        ("[DATABASE_URL=postgresql://db/shop]", False),
        ("{A: $$DATABASE_URL}", False),
        ("{A: 'see DATABASE_URL'}", False),
        ("{DATABASE_URL: }", True),
        ("[DATABASE_URL]", True),
        ("{A: $DATABASE_URL}", True),
        ("['A=${B:-${DATABASE_URL}}']", True),
        ("{A: $$$DATABASE_URL}", True),
    ],
)
def test_only_what_the_file_takes_from_outside_is_used(environment: str, used: bool) -> None:
    compose = f"services: {{web: {{image: a, environment: {environment}}}}}\n"
    told = check_dotenv("DATABASE_URL=postgresql://dev@localhost/shop\n", [compose, "no: [compose"], {})
    assert [finding.path for finding in told] == (["DATABASE_URL"] if used else [])


@pytest.mark.parametrize("env_file", [".env", "[./.env]", "[{path: .env}]"])
def test_a_file_that_a_service_gets_as_it_is_differs_in_nothing(env_file: str) -> None:
    compose = f"services: {{web: {{env_file: {env_file}, environment: {{A: $LEVEL}}}}}}\n"
    assert check_dotenv("LEVEL=debug\n", [compose], {}) == ()
    assert check_dotenv("LEVEL=debug\n", [compose.replace(".env", "web.env")], {}) != ()


def test_another_file_of_the_release_uses_no_variable() -> None:
    assert check_dotenv("LEVEL=debug\n", ["listen: $LEVEL\n"], {}) == ()
