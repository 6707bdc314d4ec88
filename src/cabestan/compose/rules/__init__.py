"""All rules by their code: what Cabestan says no to, why, and what to write instead. docs/rules has a page for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain

from cabestan.compose.findings import Waivers
from cabestan.compose.rules import images, reading, routing, service_rules, storage
from cabestan.compose.rules.keys import key_rules
from cabestan.domain.rule import Rule, Waiver
from cabestan.errors import Invalid, NotFound

_HADOLINT = re.compile(r"(?:DL|SC)[0-9]{4}")


def _by_code(rules: Iterable[Rule]) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.code in found:
            raise ValueError(f"two rules have the code {rule.code}")
        found[rule.code] = rule
    return found


#: single rules come before the ones that are made of tables of keys
RULES: Mapping[str, Rule] = _by_code(
    chain(reading.RULES, service_rules.RULES, storage.RULES, routing.RULES, images.RULES, key_rules())
)


def rule_of(code: str) -> Rule:
    """The rule that a finding's code names. Raises NotFound."""
    rule = RULES.get(images.HADOLINT if _HADOLINT.fullmatch(code) else code)
    if rule is None:
        raise NotFound(f"There is no rule {code[:80]}.", "docs/rules has all of them.")
    return rule


def check_waivable(code: str) -> Rule:
    """Raises NotFound for a code that is none, Invalid for a rule that nobody can be let off."""
    rule = rule_of(code)
    if rule.severity == "warning":
        raise Invalid(f"The rule {code} is a warning.", "It holds nothing up; there is nothing to waive.")
    if not rule.waivable:
        raise Invalid(
            f"The rule {code} cannot be waived: it protects the machine, other projects or the data, or there would "
            "be nothing to deploy.",
            rule.remedy,
        )
    return rule


def waivers(given: Iterable[Waiver], strict: Iterable[str] = ()) -> Waivers:
    """What a project is let off, and which warnings are errors. Rules that cannot be waived hold all the same."""
    return Waivers({waiver.code: waiver.words for waiver in given if _holds(waiver)}, frozenset(strict))


def check_strict(codes: Iterable[str]) -> None:
    """Raises Invalid for a code of which the Compose file has no warning."""
    others = {rule.code for rule in images.RULES}
    known = [rule.code for rule in RULES.values() if rule.severity == "warning" and rule.code not in others]
    for code in codes:
        if code not in known:
            raise Invalid(f"{code[:80]} is no warning of the Compose file.", f"There are: {', '.join(known)}.")


def _holds(waiver: Waiver) -> bool:
    rule = RULES.get(waiver.code)
    return waiver.removed_at is None and rule is not None and rule.waivable
