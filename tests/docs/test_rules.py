"""docs/compose.md and docs/rules say what the code does, in both directions."""

from __future__ import annotations

import re

import pytest
from tests.docs import write_rules
from tests.docs.pages import ROOT

from cabestan.compose import policy
from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.compose.rules import RULES

TEXT = (ROOT / "docs/compose.md").read_text(encoding="utf-8")
VARIABLES = {"CI_REGISTRY_IMAGE": "registry:5000/shop/api", "CI_COMMIT_SHA": "0" * 40}
#: heading to the table of keys that it stands for
LEVELS = {
    "Top level": policy.TOP,
    "Service keys": policy.SERVICE,
    "build": policy.BUILD,
    "networks": policy.NETWORK,
    "networks of a service": policy.SERVICE_NETWORK,
    "env_file": policy.ENV_FILE,
    "configs": policy.CONFIG,
    "configs of a service": policy.SERVICE_CONFIG,
    "driver of a volume": policy.VOLUME,
    "deploy.restart_policy": policy.RESTART,
    "depends_on": policy.DEPENDENCY,
    "extends": policy.EXTENDS,
    "secrets": policy.SECRET,
    "secrets of a service": policy.SERVICE_SECRET,
    "healthcheck": policy.HEALTHCHECK,
    "logging": policy.LOGGING,
    "logging.options": policy.LOGGING_OPTIONS,
    "ports": policy.PORT,
    "volumes": policy.MOUNT,
    "volumes.volume": policy.MOUNT_VOLUME,
    "volumes.bind": policy.MOUNT_BIND,
    "volumes.tmpfs": policy.MOUNT_TMPFS,
    "deploy": policy.DEPLOY,
    "deploy.resources": policy.RESOURCES,
    "deploy.resources.limits": policy.RESOURCE,
    "deploy.placement": policy.PLACEMENT,
    "deploy.update_config": policy.UPDATE,
}
#: keys that warn, and work in a safe sense
DEPRECATED = {
    "links": "links-deprecated",
    "ports": "ports-deprecated",
    "container_name": "container-name",
    "hostname": "hostname",
    "env_file": "env-file",
}
#: the same at the top level
DEPRECATED_AT_TOP = {"networks": "own-networks", "secrets: {db-password": "secret-file"}
_COMMIT = {"web.env": "A=1\n", "page.html": "<p>"}
_TOP = ("Top level", "secrets", "networks", "configs")
_COMMON = "services:\n  db:\n    image: b\n"
_HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| `(.+)` \|$", re.MULTILINE)


def rows() -> dict[str, list[tuple[str, str]]]:
    """Heading to keys and examples."""
    _, *parts = _HEADING.split(TEXT)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    return {heading: [(key, example) for key, _, example in _ROW.findall(text)] for heading, text in sections.items()}


def examples() -> list[tuple[str, str, str]]:
    return [(heading, key, example) for heading, found in rows().items() for key, example in found]


def findings(heading: str, example: str) -> tuple[Finding, ...]:
    service = f"services:\n  web:\n    image: a\n    {example}\n  db:\n    image: b\nvolumes:\n  data: {{}}\n"
    if example.startswith("image:"):
        service = service.replace("    image: a\n", "", 1)
    text = service
    if heading == "configs of a service" or example == "configs: [page]":
        text += "configs: {page: {content: hello}}\n"
    if heading in _TOP:
        text = example if example.startswith("services") else f"{example}\nservices: {{web: {{image: a}}}}\n"
    try:
        files = [SourceFile("docker-compose.yml", text)]
        return load_files(files, VARIABLES, read={"common.yml": _COMMON, **_COMMIT}.get).warnings
    except ComposeRefused as refused:
        return refused.findings


def test_every_table_of_keys_has_its_heading() -> None:
    tables = [value for value in vars(policy).values() if isinstance(value, policy.Keys) and value.allowed]
    assert [table for table in tables if not any(table is known for known in LEVELS.values())] == []


@pytest.mark.parametrize("heading", LEVELS)
def test_the_keys_of_a_heading_are_those_of_the_code(heading: str) -> None:
    keys = [key for key, _ in rows()[heading]]
    assert sorted(keys) == sorted(LEVELS[heading].allowed)


@pytest.mark.parametrize(("heading", "key", "example"), examples())
def test_an_example_uses_its_key_and_is_deployed(heading: str, key: str, example: str) -> None:
    assert re.search(rf"\b{re.escape(key)}:", example) or heading == "driver of a volume"
    known = DEPRECATED_AT_TOP if heading in _TOP else DEPRECATED
    warned = next((code for start, code in known.items() if example.startswith(start)), None)
    assert [finding.code for finding in findings(heading, example)] == ([warned] if warned else [])


def test_the_keys_of_the_specification_are_told_apart() -> None:
    table = TEXT.partition("Those of the specification of factory projects:\n")[2].partition("\nWhat Swarm needs")[0]
    assert {key for key, _, _ in _ROW.findall(table)} == policy.OF_THE_DOCUMENT


def test_every_rule_has_its_page_and_every_page_its_rule() -> None:
    pages = {path.stem for path in write_rules.FOLDER.glob("*.md")} - {"README"}
    assert pages == set(RULES)


def test_the_pages_say_what_the_registry_says() -> None:
    wrong = [path.name for path, text in write_rules.pages().items() if path.read_text(encoding="utf-8") != text]
    assert wrong == [], "python -m tests.docs.write_rules"
