"""Every remedy leads to a file that is deployed: each rule's bad example is changed as it is told, until it passes."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.compose.test_rules import findings

from cabestan.compose.findings import Finding
from cabestan.compose.rules import RULES, images
from cabestan.domain.rule import Rule

#: a remedy may be told in so many steps
_MOST_STEPS = 3
#: rules whose remedy nobody has shown yet, and why; a rule that is mended has to leave the list
NOT_SHOWN = {"network-undeclared": "the networks of a file are told of, whatever is in them"}
#: keys and lines that a remedy says to write: `deploy.resources.limits.cpus`, `restart: "no"`
_PATH = re.compile(r"(?:Write|Use|write) ([a-z_]+(?:\.[a-z_]+)+)(?![.\w])")
_LINE = re.compile(r"(?:Write|Add|write) ([a-z_]+: \"?[a-z]+\"?)(?![\w/])")

EXAMPLES = [rule for rule in RULES.values() if rule.wrong and rule not in images.RULES and rule.code not in NOT_SHOWN]


def is_removal(finding: Finding) -> bool:
    return finding.remedy.startswith("Remove") or finding.remedy == "Give it a value, or remove it."


def removed(text: str, line: int) -> str:
    """Without the key of a line (counted from 1) and all that is below it."""
    lines = text.splitlines(keepends=True)
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    end = next((n for n in range(line, len(lines)) if len(lines[n]) - len(lines[n].lstrip()) <= indent), len(lines))
    return "".join((*lines[: line - 1], *lines[end:]))


def remedied(rule: Rule) -> str:
    """What the rule's own words make of its bad example: what it writes instead, or what is left without it."""
    if rule.right:
        return rule.right
    text = rule.wrong
    for _ in range(_MOST_STEPS):
        told = next((finding for finding in findings(text) if is_removal(finding)), None)
        if told is None:
            break
        text = removed(text, told.line)
    return text


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.code)
def test_the_bad_example_changed_as_its_remedy_says_is_deployed_without_a_word(rule: Rule) -> None:
    assert rule.code in {finding.code for finding in findings(rule.wrong)}
    text = remedied(rule)
    assert text != rule.wrong
    assert findings(text) == ()


@pytest.mark.parametrize("rule", [rule for rule in EXAMPLES if rule.right], ids=lambda rule: rule.code)
def test_what_a_remedy_says_to_write_stands_in_the_good_example(rule: Rule) -> None:
    told = (rule.remedy, *(finding.remedy for finding in findings(rule.wrong) if finding.code == rule.code))
    for remedy in told:
        for path in _PATH.findall(remedy):
            assert path in paths(yaml.safe_load(rule.right)), remedy
        lines = _LINE.findall(remedy)
        assert not lines or any(line.partition(":")[0] in rule.right for line in lines), remedy


def paths(node: object, start: str = "") -> set[str]:
    """Each way of keys, seen from the top and from a service."""
    if not isinstance(node, dict):
        return set()
    found: set[str] = set()
    for key, value in node.items():
        path = f"{start}.{key}".lstrip(".")
        found |= {path, path.partition(".")[2].partition(".")[2]} | paths(value, path)
    return found


def test_the_list_of_what_is_not_shown_holds_nothing_that_is() -> None:
    shown = {code for code in NOT_SHOWN if code not in RULES or findings(remedied(RULES[code])) == ()}
    assert shown == set()
