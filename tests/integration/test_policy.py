"""The policy against a real registry and a real engine."""

from __future__ import annotations

import pytest
from tests.integration.harness import Platform
from tests.integration.samples import DOCKERFILE, SMALL

pytestmark = pytest.mark.integration
#: a base that declares a volume and names no user, as those of others do
BASE = "FROM cabestan/python:3.11\nVOLUME /data\n"
ON_BASE = DOCKERFILE.replace("cabestan/python:3.11", "${CI_REGISTRY_IMAGE}/base").replace("USER 1001\n", "")


def test_what_a_built_image_says_of_itself_is_refused_and_can_be_waived(platform: Platform) -> None:
    dockerfile = f"ARG CI_REGISTRY_IMAGE\n{ON_BASE}"
    work = platform.make_project(SMALL | {"Dockerfile": dockerfile, "Dockerfile.base": BASE})
    pushed = work.push()
    assert pushed.pipeline
    refused = platform.wait_for_pipeline(pushed.pipeline, 120)
    assert refused["status"] == "failed"
    assert f"Dockerfile:2:1 The image {work.name} names no user, so it runs as root." in refused["reason"]
    assert f"Dockerfile:2:1 The image {work.name} declares the volume /data." in refused["reason"]
    assert [(job["name"], job["status"]) for job in refused["jobs"]] == [
        ("lint", "succeeded"),
        ("build", "succeeded"),
        ("build base", "succeeded"),
    ]
    log = platform.log(refused["jobs"][0]["id"])
    assert "Checking docker-compose.yml of commit" in log
    assert platform.deployments(work.name) == []

    for code in ("image-root", "image-volume"):
        platform.put(f"/projects/{work.name}/waivers/{code}", {"reason": "a base of somebody else"})
    platform.post(f"/pipelines/{pushed.pipeline}/retry")
    waived = platform.wait_for_pipeline(pushed.pipeline, 120)
    assert waived["status"] == "succeeded", waived
    assert sum("a base of somebody else" in note for note in waived["notes"]) == 2
    [staging] = platform.deployments(work.name, "staging")
    platform.succeeds(staging["id"], 90)
