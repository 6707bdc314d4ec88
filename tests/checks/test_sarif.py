"""The structure of SARIF 2.1.0, as its specification has it (sections 3.13 to 3.49)."""

from __future__ import annotations

import json
from typing import Any

from cabestan.checks.sarif import sarif
from cabestan.domain.finding import Finding

FINDINGS = (
    Finding("no-privileged", "error", "docker-compose.yml", 3, 5, "services.web.privileged", "No.", "Remove it."),
    Finding("DL3006", "warning", "my files/Dockerfile", 1, 1, "", "Tag it.", ""),
    Finding("no-privileged", "error", "docker-compose.yml", 9, 5, "services.db.privileged", "No.", "Remove it."),
)


def run(findings: tuple[Finding, ...] = FINDINGS) -> dict[str, Any]:
    document = json.loads(json.dumps(sarif(findings)))
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    (only,) = document["runs"]
    return only


def test_a_run_names_its_tool_and_each_rule_once() -> None:
    driver = run()["tool"]["driver"]
    assert driver["name"] == "Cabestan"
    assert [rule["id"] for rule in driver["rules"]] == ["DL3006", "no-privileged"]
    for rule in driver["rules"]:
        assert set(rule) == {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
        assert all(isinstance(rule[key]["text"], str) for key in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")


def test_a_result_says_rule_level_message_and_place() -> None:
    result = run()["results"][0]
    assert result == {
        "ruleId": "no-privileged",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "No. Remove it."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "docker-compose.yml"},
                    "region": {"startLine": 3, "startColumn": 5},
                },
                "logicalLocations": [{"fullyQualifiedName": "services.web.privileged"}],
            }
        ],
    }


def test_rule_indexes_lead_to_their_rules_and_paths_are_uris() -> None:
    only = run()
    rules = only["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in only["results"]] == [f.code for f in FINDINGS]
    assert only["results"][1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20files/Dockerfile"


def test_no_findings_are_an_empty_list_of_results() -> None:
    assert run(())["results"] == []
