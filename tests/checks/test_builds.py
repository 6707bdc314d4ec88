"""`build:` as most Compose files write it: who does what a finding says gets on, to what was meant."""

from __future__ import annotations

import pytest
from tests.checks.samples import COMMIT, DOCKERFILE, found, place, subject, told

from cabestan.checks.check import plan
from cabestan.checks.compose_file import read
from cabestan.compose.findings import NOTHING_WAIVED

OURS = "registry:5000/shop/api"
FOLDERS = {"api/Dockerfile": DOCKERFILE, "web/Dockerfile": DOCKERFILE}
STAGES = f"{DOCKERFILE.replace('3.11', '3.11 AS production')}FROM production AS development\nUSER root\n"


def images(files: dict[str, str]) -> tuple[dict[str, str], dict[str, tuple[str, str, tuple[tuple[str, str], ...]]]]:
    """What each service runs, and each image that is built with its Dockerfile, target and args."""
    one = subject(files)
    composed = read(one, place(one), NOTHING_WAIVED, None).compose
    assert composed
    builds = {f"{one.registry}/{b.reference}": (b.dockerfile, b.target, b.args) for b in plan(one).builds}
    return {service.name: service.image for service in composed.services}, builds


def test_services_that_name_no_image_are_each_an_image_of_their_name() -> None:
    compose = "services:\n  api: {build: ./api}\n  web: {build: ./web}\n"
    files = {**FOLDERS, "docker-compose.yml": compose}

    assert told(found(files)) == []
    assert images(files) == (
        {"api": f"{OURS}/api:{COMMIT}", "web": f"{OURS}/web:{COMMIT}"},
        {f"{OURS}/api": ("api/Dockerfile", "", ()), f"{OURS}/web": ("web/Dockerfile", "", ())},
    )


def test_two_builds_of_one_name_are_refused_at_the_second_and_the_remedy_works() -> None:
    named = 'image: "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"'
    compose = f"services:\n  api: {{{named}, build: ./api}}\n  web: {{{named}, build: ./web}}\n"
    files = {**FOLDERS, "docker-compose.yml": compose}

    (finding,) = [one for one in found(files) if one.severity == "error"]
    assert (finding.code, finding.file, finding.line) == ("build-plan", "docker-compose.yml", 3)
    assert finding.remedy == (
        "Leave image out of the service web, or write image: ${CI_REGISTRY_IMAGE}/web:${CI_COMMIT_SHA}."
    )
    for web in ("{build: ./web}", '{build: ./web, image: "${CI_REGISTRY_IMAGE}/web:${CI_COMMIT_SHA}"}'):
        files["docker-compose.yml"] = f"services:\n  api: {{{named}, build: ./api}}\n  web: {web}\n"
        assert told(found(files)) == []


def test_an_image_of_another_name_beside_build_is_a_name_for_the_same() -> None:
    compose = (
        "services:\n  api:\n    image: acme/api:latest\n    build: ./api\n"
        "  worker:\n    image: acme/api:latest\n  other:\n    image: acme/other\n"
    )
    files = {**FOLDERS, "docker-compose.yml": compose}

    assert told(found(files)) == []
    assert images(files)[0] == {"api": f"{OURS}/api:{COMMIT}", "worker": f"{OURS}/api:{COMMIT}", "other": "acme/other"}


def test_a_name_that_two_builds_have_leads_nobody_else_to_either() -> None:
    builds = "  api: {image: acme/api, build: ./api}\n  web: {image: acme/api, build: ./web}\n"
    files = {**FOLDERS, "docker-compose.yml": f"services:\n{builds}"}
    assert told(found(files)) == []

    files["docker-compose.yml"] = f"services:\n{builds}  worker: {{image: acme/api}}\n"
    assert told(found(files)) == [("image-unclear", "error", "docker-compose.yml", 4)]


def test_the_target_is_what_is_deployed_and_checked() -> None:
    compose = "services:\n  web:\n    build: {context: ., target: production, args: {API: https://example.org}}\n"
    files = {"Dockerfile": STAGES, "docker-compose.yml": compose}

    assert told(found(files)) == []
    assert images(files)[1] == {f"{OURS}/web": ("Dockerfile", "production", (("API", "https://example.org"),))}
    files["docker-compose.yml"] = compose.replace("production", "development")
    assert told(found(files)) == [("image-root", "error", "Dockerfile", 4)]


@pytest.mark.parametrize(
    ("args", "given"),
    [
        ("{SHA: '${CI_COMMIT_SHA}', LEVEL: '${LEVEL:-info}'}", (("SHA", COMMIT), ("LEVEL", "info"))),
        ("[CI_COMMIT_BRANCH, NODE_ENV, 'A=$$HOME']", (("CI_COMMIT_BRANCH", "main"), ("A", "$HOME"))),
    ],
)
def test_args_are_filled_in_with_what_every_environment_has(args: str, given: tuple[tuple[str, str], ...]) -> None:
    compose = f"services:\n  web:\n    build: {{context: ., args: {args}}}\n"
    assert images({"Dockerfile": DOCKERFILE, "docker-compose.yml": compose})[1][f"{OURS}/web"][2] == given


def test_an_arg_of_an_environments_variable_is_refused_for_the_image_is_built_once() -> None:
    compose = "services:\n  web:\n    build: {context: ., args: {API: '${API_URL}'}}\n"
    findings = found({"Dockerfile": DOCKERFILE, "docker-compose.yml": compose})
    assert told(findings) == [
        ("build-args", "error", "docker-compose.yml", 2),
        ("variable-unset", "warning", "docker-compose.yml", 3),
    ]


def test_an_image_that_lacks_only_its_build_is_told_so() -> None:
    compose = 'services:\n  api:\n    image: "${CI_REGISTRY_IMAGE}/api:${CI_COMMIT_SHA}"\n'
    files = {"api/Dockerfile": DOCKERFILE, "docker-compose.yml": compose}

    (finding,) = [one for one in found(files) if one.severity == "error"]
    assert (finding.code, finding.line) == ("image-unknown", 3)
    assert finding.remedy == "Add build: ./api to the service api: api/Dockerfile is there."
    files["docker-compose.yml"] = f"{compose}    build: ./api\n"
    assert told(found(files)) == []
