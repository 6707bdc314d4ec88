from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.claims import Claim, HostConflict, HostRule, conflicts, covers, decisive, overlap

LABELS = st.sampled_from(["a", "b", "c"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PATTERNS = NAMES | NAMES.map(lambda name: f"*.{name}")


@pytest.mark.parametrize(
    ("wide", "narrow", "does"),
    [
        ("a.org", "a.org", True),
        ("a.org", "b.a.org", False),
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "c.b.a.org", True),
        ("*.a.org", "a.org", False),
        ("*.a.org", "ba.org", False),
        ("*.a.org", "*.a.org", True),
        ("*.a.org", "*.b.a.org", True),
        ("*.b.a.org", "*.a.org", False),
        ("b.a.org", "*.a.org", False),
    ],
)
def test_a_star_covers_what_is_below_a_name_and_not_the_name(wide: str, narrow: str, does: bool) -> None:
    assert covers(wide, narrow) is does


@given(PATTERNS, PATTERNS, NAMES)
def test_patterns_that_do_not_overlap_share_no_name(one: str, other: str, name: str) -> None:
    if covers(one, name) and covers(other, name):
        assert overlap(one, other)


CLAIMS = (Claim("www.a.org", "shop/web"), Claim("*.b.org", "shop/web"), Claim("x.c.org", "shop/api"))


@pytest.mark.parametrize(
    ("wanted", "project", "owners"),
    [
        ("www.a.org", "shop/web", []),
        ("www.a.org", "shop/api", ["shop/web"]),
        ("*.a.org", "other/one", ["shop/web"]),
        ("deep.down.b.org", "other/one", ["shop/web"]),
        ("b.org", "other/one", []),
        ("*.org", "other/one", ["shop/web", "shop/web", "shop/api"]),
        ("free.org", "other/one", []),
    ],
)
def test_the_first_that_claims_a_name_has_it_and_what_lies_within(wanted: str, project: str, owners: list[str]) -> None:
    assert [conflict.owner for conflict in conflicts([wanted], project, CLAIMS, [])] == owners


RULES = (HostRule("*.d.org", "shop"), HostRule("www.d.org", "other"), HostRule("*.api.d.org", "shop/api"))


@pytest.mark.parametrize(
    ("wanted", "project", "found"),
    [
        ("x.d.org", "shop/web", []),
        ("x.d.org", "other/one", [("*.d.org", "shop")]),
        ("www.d.org", "shop/web", [("www.d.org", "other")]),
        ("www.d.org", "other/one", []),
        ("x.api.d.org", "shop/api", []),
        ("x.api.d.org", "shop/web", [("*.api.d.org", "shop/api")]),
        ("*.d.org", "shop/api", [("www.d.org", "other")]),
        ("*.d.org", "shop/web", [("www.d.org", "other"), ("*.api.d.org", "shop/api")]),
        ("*.org", "free/one", [("*.d.org", "shop"), ("www.d.org", "other"), ("*.api.d.org", "shop/api")]),
    ],
)
def test_the_most_precise_rule_decides_and_a_wildcard_minds_all_within(
    wanted: str, project: str, found: list[tuple[str, str]]
) -> None:
    assert [(c.pattern, c.owner) for c in conflicts([wanted], project, [], RULES)] == found


def test_projects_of_a_group_share_what_a_rule_gives_to_the_group() -> None:
    claims = [Claim("x.d.org", "shop/web"), Claim("x.api.d.org", "shop/api"), Claim("x.free.org", "shop/web")]

    assert conflicts(["x.d.org"], "shop/api", claims, RULES) == ()
    assert conflicts(["x.free.org"], "shop/api", claims, RULES) == (
        HostConflict("x.free.org", "x.free.org", "shop/web"),
    )
    assert conflicts(["x.d.org"], "other/one", claims, RULES) == (
        HostConflict("x.d.org", "*.d.org", "shop"),
        HostConflict("x.d.org", "x.d.org", "shop/web"),
    )


def test_of_rules_for_one_pattern_the_first_counts() -> None:
    rules = [HostRule("a.org", "shop"), HostRule("a.org", "other")]

    assert conflicts(["a.org"], "shop/web", [], rules) == ()
    assert decisive("a.org", rules) == rules[0]


@given(
    st.lists(st.tuples(PATTERNS, st.sampled_from(["a/x", "a/y", "b/z"])), max_size=12),
    st.lists(st.tuples(PATTERNS, st.sampled_from(["a", "b", "a/x", "b/z"])), max_size=4),
    NAMES,
)
def test_no_name_is_ever_taken_by_two_projects_but_within_a_group(
    wishes: list[tuple[str, str]], given_away: list[tuple[str, str]], name: str
) -> None:
    rules = [HostRule(pattern, owner) for pattern, owner in given_away]
    claims: list[Claim] = []
    for pattern, project in wishes:
        if not conflicts([pattern], project, claims, rules):
            claims.append(Claim(pattern, project))
    holders = {claim.project for claim in claims if covers(claim.pattern, name)}
    rule = decisive(name, rules)
    assert rule is None or all(rule.allows(project) for project in holders)
    if len(holders) > 1:
        assert rule is not None
        assert {holder.partition("/")[0] for holder in holders} == {rule.owner}
