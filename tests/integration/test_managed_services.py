"""Databases that the platform runs: made at the first deployment, and never touched by a later one."""

import pytest
from tests.integration import databases
from tests.integration.harness import Platform

pytestmark = pytest.mark.integration


def test_an_application_finds_its_databases_and_its_data_after_each_deployment(platform: Platform) -> None:
    work = platform.make_project(databases.ALL)
    first = work.deployed(240)
    assert first["status"] == "succeeded", first
    steps = [(s["kind"], s["status"]) for s in platform.get(f"/deployments/{first['id']}")["steps"]]
    assert steps == [(k, "succeeded") for k in ("pull", "managed", "apply", "watch", "routes")]
    host = work.host("staging")
    assert platform.ask(host, "/visit").text == "postgresql 2, mysql 2, redis 2"
    work.files["app.py"] += "# another release\n"
    assert work.deployed(120)["status"] == "succeeded"
    assert platform.ask(host, "/visit").text == "postgresql 4, mysql 4, redis 4"
