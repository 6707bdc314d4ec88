"""The examples of the rules about Dockerfiles: the bad one is told, the good one is not."""

from __future__ import annotations

import pytest
from tests.checks.samples import FILES, found

from cabestan.compose.rules import images, rule_of
from cabestan.domain.rule import Rule

#: what the examples take from their context
CONTEXT = FILES | {"app.py": "", "build.sh": ""}


def told(dockerfile: str) -> set[tuple[str, str]]:
    findings = found(CONTEXT | {"Dockerfile": dockerfile})
    return {(rule_of(finding.code).code, finding.severity) for finding in findings}


@pytest.mark.parametrize("rule", [rule for rule in images.RULES if rule.wrong], ids=lambda rule: rule.code)
def test_the_bad_example_is_told_and_the_one_that_the_remedy_makes_of_it_is_not(rule: Rule) -> None:
    assert (rule.code, rule.severity) in told(rule.wrong)
    assert rule.right
    after = told(rule.right)
    assert rule.code not in {code for code, _ in after}
    assert "error" not in {severity for _, severity in after}
