"""Every rule is in the registry, and its examples are what they say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cabestan
from cabestan.compose import policy
from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load, load_files
from cabestan.compose.rules import RULES, check_strict, check_waivable, images, rule_of, waivers
from cabestan.domain.rule import Rule, Waiver
from cabestan.errors import Invalid, NotFound

SOURCE = Path(cabestan.__file__).parent
VARIABLES = {"CI_REGISTRY_IMAGE": "registry:5000/shop/api", "CI_COMMIT_SHA": "0" * 40}
FURTHER = {"common/base.yml": "services: {base: {labels: {team: shop}}}\n"}
#: what makes findings; elsewhere a code is given by name
_MAKERS = frozenset({"error", "warn", "Finding", "_refuse", "refuse", "_finding", "DockerfileRefused"})
_SEVERITIES = frozenset({"error", "warning"})
#: modules whose rules are not about Compose files alone
_ELSEWHERE = {rule.code for rule in images.RULES}


def findings(text: str) -> tuple[Finding, ...]:
    try:
        return load_files([SourceFile("docker-compose.yml", text)], VARIABLES, read=FURTHER.get).warnings
    except ComposeRefused as refused:
        return refused.findings


def emitted() -> Iterator[tuple[str, str]]:
    """Each code that stands in the source, with its file."""
    for folder in ("compose", "checks", "pipeline"):
        for path in (SOURCE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from ((code, path.name) for code in _codes(node))


def _codes(node: ast.AST) -> Iterator[str]:
    """Texts with a form like a code's, where a code is given to what makes findings, or is its default."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [word.value for word in node.keywords if word.arg == "code"]
        given += node.args if name in _MAKERS else []
        if given:
            texts = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from (text for text in texts if _like_a_code(text))
    if isinstance(node, ast.FunctionDef) and any(argument.arg == "code" for argument in node.args.args):
        yield from (d.value for d in node.args.defaults if isinstance(d, ast.Constant) and _like_a_code(d.value))


def _like_a_code(text: object) -> bool:
    return isinstance(text, str) and text.replace("-", "").isalpha() and text.islower() and text not in _SEVERITIES


def test_every_code_in_the_source_has_its_rule() -> None:
    assert {(code, file) for code, file in emitted() if code not in RULES} == set()


def test_every_rule_is_applied_somewhere() -> None:
    keys = {policy.refusal_code(key) for table in _tables() for key in table.refused}
    assert set(RULES) - {code for code, _ in emitted()} - keys == {images.HADOLINT}  # whose codes are its own


def _tables() -> list[policy.Keys]:
    return [value for value in vars(policy).values() if isinstance(value, policy.Keys)]


def test_every_refused_key_has_its_rule() -> None:
    assert {policy.refusal_code(key) for table in _tables() for key in table.refused} <= set(RULES)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.wrong and rule.code not in _ELSEWHERE],
                         ids=lambda rule: rule.code)  # fmt: skip
def test_the_wrong_example_breaks_the_rule(rule: Rule) -> None:
    assert {(finding.code, finding.severity) for finding in findings(rule.wrong)} >= {(rule.code, rule.severity)}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.right and rule.code not in _ELSEWHERE],
                         ids=lambda rule: rule.code)  # fmt: skip
def test_the_right_example_is_deployed_without_a_word(rule: Rule) -> None:
    assert findings(rule.right) == ()


def test_every_rule_says_why_and_what_to_do() -> None:
    assert [rule.code for rule in RULES.values() if not (rule.title and rule.reason and rule.remedy)] == []


#: what must never be waived: it protects the machine, other projects, secrets or data
PROTECTING = (
    "no-privileged", "no-cap-add", "no-devices", "no-network-mode", "no-pid", "no-ipc", "no-security-opt",
    "no-userns-mode", "no-cgroup", "no-cgroup-parent", "no-runtime", "no-sysctls", "no-uts", "no-volumes-from",
    "no-external-links", "no-external", "no-driver", "no-driver-opts", "no-propagation",
    "no-host-path", "no-socket", "volume-link", "bad-volume", "label-reserved", "route", "route-matcher",
    "route-label", "route-twice", "secret-shown", "unknown-key", "image-unknown", "placement", "no-gpus",
)  # fmt: skip


@pytest.mark.parametrize("code", PROTECTING)
def test_what_protects_others_cannot_be_waived(code: str) -> None:
    with pytest.raises(Invalid, match="cannot be waived"):
        check_waivable(code)


def test_only_what_does_no_harm_can_be_waived() -> None:
    waivable = {rule.code for rule in RULES.values() if rule.waivable}
    keys = {policy.refusal_code(key) for key in policy.LEFT_OUT_IF_WAIVED}
    assert waivable - keys == {"no-root", "image-root", "image-volume"}


def waiver(code: str, **changes: object) -> Waiver:
    known = {"id": 1, "project_id": 1, "code": code, "by": "admin", "reason": "it is old"}
    return Waiver(**known | {"created_at": datetime(2024, 5, 6, tzinfo=UTC)} | changes)  # type: ignore[arg-type]


def test_a_waived_error_is_a_warning_that_names_the_waiver() -> None:
    text = f"services:\n  web:\n    image: {VARIABLES['CI_REGISTRY_IMAGE']}\n    cap_drop: [ALL]\n"

    loaded = load(text, "docker-compose.yml", {}, waivers=waivers([waiver("no-cap-drop")]))

    (finding,) = loaded.warnings
    assert (finding.code, finding.severity) == ("no-cap-drop", "warning")
    assert finding.message.endswith("(waived by admin on 2024-05-06: it is old)")


def test_a_waiver_of_what_cannot_be_waived_and_one_that_was_removed_change_nothing() -> None:
    gone = waiver("no-cap-drop", removed_at=datetime(2024, 5, 7, tzinfo=UTC))

    assert waivers([waiver("no-privileged"), waiver("no-host-path"), waiver("nonsense"), gone]).words == {}


def test_only_warnings_of_the_compose_file_can_be_strict() -> None:
    check_strict(["env-file", "route-ignored", "variable-required"])
    for code in ("no-privileged", "nonsense", *(rule.code for rule in images.RULES)):
        with pytest.raises(Invalid, match=f"^{code} is no warning of the Compose file"):
            check_strict([code])


def test_hadolint_codes_belong_to_its_rule() -> None:
    assert rule_of("DL3008") is rule_of("SC2086") is RULES["hadolint"]


def test_an_unknown_code_and_a_warning_cannot_be_waived() -> None:
    with pytest.raises(NotFound, match="There is no rule nonsense"):
        check_waivable("nonsense")
    with pytest.raises(Invalid, match="is a warning"):
        check_waivable("DL3008")


def test_errors_are_told_however_many_warnings_there_are() -> None:
    many = "".join(f"      A{number}: 0{number}\n" for number in range(10, 400))
    text = f"services:\n  web:\n    image: a\n    environment:\n{many}    privileged: true\n"

    assert "no-privileged" in {finding.code for finding in findings(text)}
