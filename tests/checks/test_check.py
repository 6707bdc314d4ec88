from __future__ import annotations

from datetime import UTC, datetime

from tests.checks.samples import COMPOSE, DOCKERFILE, FILES, found, place, subject, told

from cabestan.checks.check import check
from cabestan.compose.rules import waivers
from cabestan.domain.rule import Waiver
from cabestan.domain.tree import Tree
from cabestan.pipeline.base_images import BaseImages

ROOT = "FROM cabestan/python:3.11\nRUN true\nUSER root\n"


def test_a_project_that_is_well_gives_no_finding() -> None:
    assert found(FILES) == ()


def test_errors_and_warnings_of_all_files_are_told_at_once_file_by_file() -> None:
    files = {
        "Dockerfile": f"{DOCKERFILE}VOLUME /data\n",
        "docker-compose.yml": f"{COMPOSE}    ports: ['80:80']\n    volumes: [/etc:/etc]\n",
    }
    assert told(found(files)) == [
        ("ports-deprecated", "warning", "docker-compose.yml", 4),
        ("no-host-path", "error", "docker-compose.yml", 5),
    ]
    files["docker-compose.yml"] = COMPOSE
    assert told(found(files)) == [("image-volume", "error", "Dockerfile", 3)]


def test_an_image_that_the_pipeline_does_not_build_is_refused() -> None:
    other = "  other:\n    image: ${CI_REGISTRY_IMAGE}/other:${CI_COMMIT_SHA}\n"
    files = FILES | {"docker-compose.yml": COMPOSE + other}
    assert told(found(files)) == [("image-unknown", "error", "docker-compose.yml", 5)]


def test_a_plain_dockerfile_is_the_one_image_that_the_compose_file_misses() -> None:
    assert told(found(FILES | {"docker-compose.yml": COMPOSE.replace("}:", "}/app:")})) == []


def test_a_base_image_that_the_catalogue_lacks_is_refused_where_the_catalogue_is_known() -> None:
    files = FILES | {"Dockerfile": "# shop/api\nFROM cabestan/cobol:60\nUSER 1001\n"}
    known = BaseImages(("cabestan/node:18", "cabestan/python:3.11"))
    (finding,) = (one for one in found(files, base_images=known) if one.severity == "error")
    assert (finding.code, finding.file, finding.line) == ("base-image-unknown", "Dockerfile", 2)
    assert str(finding).endswith(
        "cabestan/cobol:60 is no base image of this platform. There are: cabestan/node:18, cabestan/python:3.11."
    )
    assert "base-image-unknown" not in [code for code, *_ in told(found(files))]


def test_an_image_of_another_project_is_refused_by_digest_too() -> None:
    files = FILES | {"docker-compose.yml": COMPOSE.replace("${CI_REGISTRY_IMAGE}:", "registry:5000/other/one@sha256:")}
    assert told(found(files)) == [("image-unknown", "error", "docker-compose.yml", 3)]


def test_an_image_of_somebody_else_needs_no_build() -> None:
    assert found({"docker-compose.yml": "services:\n  web:\n    image: nginx:1\n"}) == ()


def test_a_dockerfile_that_ends_as_root_is_refused_with_its_line_if_a_service_runs_it() -> None:
    assert told(found(FILES | {"Dockerfile": ROOT})) == [("image-root", "error", "Dockerfile", 3)]


def test_a_dockerfile_that_no_service_runs_may_be_root() -> None:
    assert told(found(FILES | {"Dockerfile.tools": ROOT})) == []


def test_a_waived_rule_is_a_warning() -> None:
    waived = waivers([Waiver(1, 1, "image-root", "admin", "legacy", datetime(2024, 5, 6, tzinfo=UTC))])
    (finding,) = [f for f in found(FILES | {"Dockerfile": ROOT}, waivers=waived) if f.code == "image-root"]
    assert finding.severity == "warning"
    assert finding.message == "The image runs as root. (waived by admin on 2024-05-06: legacy)"


def test_a_volume_on_a_symbolic_link_is_refused() -> None:
    files = FILES | {"docker-compose.yml": f"{COMPOSE}    volumes: ['./a/b/c:/c']\n"}
    assert told(found(files, tree=Tree(frozenset(files), {"a/b": "x"}))) == [
        ("volume-link", "error", "docker-compose.yml", 4)
    ]
    assert found(files, tree=Tree(frozenset(files), {"a/other": "x"})) == ()


def test_what_cannot_be_built_is_told_as_well() -> None:
    circle = {"Dockerfile.a": "FROM shop/api/b\n", "Dockerfile.b": "FROM shop/api/a\n"}
    (finding,) = [f for f in found(circle) if f.code == "build-plan"]
    assert "build on each other in a circle" in finding.message


def test_a_build_of_a_dockerfile_that_is_not_there_is_told() -> None:
    files = {"docker-compose.yml": f"{COMPOSE}    build: ./web\n"}
    assert told(found(files)) == [("build-plan", "error", "docker-compose.yml", 2)]


def test_a_project_name_of_more_than_32_characters_is_refused() -> None:
    name = "group/" + "x" * 27
    (finding,) = found({"docker-compose.yml": "services:\n  web:\n    image: nginx:1\n"}, project=name)
    assert (finding.code, finding.severity) == ("project-name", "error")
    assert "33 characters" in finding.message


def test_what_is_wrong_in_one_environment_only_names_it() -> None:
    files = FILES | {"docker-compose.yml": f"{COMPOSE}    command: run ${{MODE:?must be set}}\n"}
    one = subject(files)
    findings = check(one, [place(one, "staging", MODE="a"), place(one, "production")])
    assert [(f.code, f.severity, f.message) for f in findings] == [
        ("interpolation", "error", "In production: The variable MODE is required: must be set.")
    ]


def test_an_environment_that_does_not_take_the_branch_only_warns() -> None:
    files = FILES | {"docker-compose.yml": f"{COMPOSE}    command: run ${{MODE:?must be set}}\n"}
    one = subject(files)
    findings = check(one, [place(one, "staging", MODE="a"), place(one, "production", decides=False)])
    assert [(f.code, f.severity) for f in findings] == [("interpolation", "warning")]


def test_what_is_wrong_everywhere_is_told_once() -> None:
    one = subject(FILES | {"docker-compose.yml": f"{COMPOSE}    privileged: true\n"})
    findings = check(one, [place(one, "staging"), place(one, "production", decides=False)])
    assert told(findings) == [("no-privileged", "error", "docker-compose.yml", 4)]


def test_an_env_file_is_compared_with_what_the_platform_sets() -> None:
    files = FILES | {
        "docker-compose.yml": f"{COMPOSE}    command: run ${{MODE:-}} ${{LEVEL:-}} ${{CI_COMMIT_SHA}}\n",
        ".env": "# for development\nCI_COMMIT_SHA=dev\nMODE='debug'\nexport LEVEL=1 # low\nUNUSED=x\nMYSQL_USER=me\n",
    }
    one = subject(files, env_file=".env")
    findings = check(one, [place(one, LEVEL="2")])
    assert told(findings) == [
        ("env-file-differs", "warning", ".env", 3),
        ("env-file-differs", "warning", ".env", 4),
    ]
    assert [finding.message for finding in findings] == [
        "MODE is set in .env alone: a deployment does not have it.",
        "LEVEL is '1' in .env and '2' in a deployment.",
    ]
