from itertools import permutations
from typing import Any

import pytest
from tests.samples import NOW

from cabestan.domain.variable import (
    Level,
    Variable,
    Variables,
    aim,
    changed_names,
    check_maskable,
    environment_token,
    fingerprint,
    for_jobs,
    nearest,
    travelling,
)
from cabestan.errors import Invalid


def setting(id: int, name: str, environment: str = "", *, secret: bool = False, **more: Any) -> Variable:
    return Variable(id, 1, environment, name, 1, secret, "" if secret else f"value {id}", "dev", NOW, **more)


def of_group(id: int, name: str, *, secret: bool = False, **more: Any) -> Variable:
    return Variable(id, None, "", name, 1, secret, "" if secret else f"value {id}", "dev", NOW, group="shop", **more)


def test_the_environments_own_value_wins_whatever_the_order() -> None:
    given = [
        setting(1, "LEVEL"),
        setting(2, "LEVEL", "staging"),
        setting(3, "LEVEL", "production"),
        setting(4, "KEY", secret=True),
        setting(5, "ONLY", "production"),
    ]
    for order in permutations(given):
        found = nearest(order, "staging")
        assert found.settings == (given[3], given[1])
    assert found.versions == {"KEY": 4, "LEVEL": 2}
    assert found.secrets == {"KEY"}
    assert found.variables == {"LEVEL": "value 2"}
    assert nearest(given, "production").versions == {"KEY": 4, "LEVEL": 3, "ONLY": 5}
    assert nearest([], "staging").settings == ()


def test_from_far_to_near_group_project_environment_each_with_its_secrets_for_the_environment() -> None:
    levels = [
        of_group(1, "KEY", secret=True),
        of_group(2, "SV_STAGING_KEY", secret=True),
        setting(3, "KEY", secret=True),
        setting(4, "SV_STAGING_KEY", secret=True),
        setting(5, "KEY", "staging", secret=True),
    ]
    for count in range(1, len(levels) + 1):
        assert nearest(reversed(levels[:count]), "staging").versions == {"KEY": count}
    assert [one.level for one in levels[::2]] == [Level.GROUP, Level.PROJECT, Level.ENVIRONMENT]
    assert nearest(levels, "production").versions == {"KEY": 3}


def test_a_secret_for_an_environment_reaches_it_under_its_plain_name_and_no_other() -> None:
    kept = setting(1, "SV_PROD_API_KEY", secret=True)
    (found,) = nearest([kept], "prod", ["prod", "preprod"]).settings
    assert (found.name, found.kept_as, found.own_name, found.id) == ("API_KEY", "SV_PROD_API_KEY", "SV_PROD_API_KEY", 1)
    assert nearest([kept], "preprod", ["prod", "preprod"]).settings == ()


@pytest.mark.parametrize(
    ("name", "environments", "expected"),
    [
        ("SV_PROD_KEY", ["prod", "staging"], ({"prod"}, "KEY")),
        ("SV_REVIEW_LOGIN_KEY", ["review/login", "review"], ({"review/login"}, "KEY")),
        ("SV_A_B_KEY", ["a", "a-b"], ({"a-b"}, "KEY")),
        ("SV_A_B_KEY", ["a"], ({"a"}, "B_KEY")),
        ("SV_A_B_KEY", ["a-b", "a/b"], ({"a-b", "a/b"}, "KEY")),
        ("SV_PROD_", ["prod"], (set(), "")),
        ("SV_PROD", ["prod"], (set(), "")),
        ("SV_PROD_1KEY", ["prod"], (set(), "")),
        ("SV_PRODUCTION_KEY", ["prod"], (set(), "")),
        ("SV_KEY", [], (set(), "")),
    ],
)
def test_whom_a_name_aims_at(name: str, environments: list[str], expected: tuple[set[str], str]) -> None:
    assert aim(name, environments) == expected


def test_an_environments_name_in_upper_case() -> None:
    assert [environment_token(name) for name in ("prod", "review/a-b")] == ["PROD", "REVIEW_A_B"]


def test_what_is_protected_is_withheld_from_other_branches_and_a_farther_value_counts() -> None:
    given = [of_group(1, "LEVEL"), setting(2, "LEVEL", protected=True), setting(3, "KEY", secret=True, protected=True)]
    assert nearest(given, "staging").versions == {"KEY": 3, "LEVEL": 2}
    found = nearest(given, "staging", protected=False)
    assert (found.versions, found.withheld, found.protected) == ({"LEVEL": 1}, ("KEY", "LEVEL"), False)


def test_what_a_pipeline_was_given_takes_the_place_of_plain_variables_alone() -> None:
    settings = (
        setting(1, "X_A"),
        setting(2, "X_B", secret=True),
        setting(3, "X_C", protected=True),
        setting(4, "LEVEL"),
    )
    found = Variables(settings, {"X_A": "given", "X_B": "given", "X_C": "given", "X_D": "given"})
    assert found.variables == {"X_A": "given", "X_C": "value 3", "X_D": "given", "LEVEL": "value 4"}
    assert (found.secrets, found.ignored) == ({"X_B"}, ("X_B", "X_C"))
    assert found.versions == {"X_B": 2, "X_C": 3, "LEVEL": 4}
    assert travelling({"X_A": "1", "LEVEL": "2"}) == {"X_A": "1"}


def test_jobs_get_the_variables_of_group_and_project_and_no_secret() -> None:
    given = [
        of_group(1, "LEVEL"),
        of_group(2, "TEAM"),
        setting(3, "LEVEL"),
        setting(4, "LEVEL", "staging"),
        setting(5, "KEY", secret=True),
        setting(6, "SIGN", protected=True),
    ]
    assert for_jobs(given, {}, protected=False) == {"LEVEL": "value 3", "TEAM": "value 2"}
    assert for_jobs(given, {}, protected=True) == {"LEVEL": "value 3", "TEAM": "value 2", "SIGN": "value 6"}
    asked = {"LEVEL": "asked", "SIGN": "asked", "X": "asked"}
    assert for_jobs(given, asked, protected=True) == {
        "LEVEL": "asked",
        "TEAM": "value 2",
        "SIGN": "value 6",
        "X": "asked",
    }


def test_what_changed_since_a_deployment() -> None:
    now = nearest([setting(1, "SAME"), setting(4, "OTHER"), setting(5, "NEW")], "staging")
    assert changed_names({"SAME": 1, "OTHER": 3, "GONE": 2}, now) == ("GONE", "NEW", "OTHER")
    assert changed_names(now.versions, now) == ()


@pytest.mark.parametrize("value", ["1234567", "", "12345678\n", "1234\n5678", "1234\r5678"])
def test_what_cannot_be_masked_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="The value of KEY cannot be masked"):
        check_maskable("KEY", value)
    check_maskable("KEY", "12345678")


def test_a_variable_of_an_environment_takes_the_place_of_a_secret_of_the_project() -> None:
    found = nearest([setting(1, "KEY", secret=True), setting(2, "KEY", "staging")], "staging")
    assert (found.secrets, found.variables) == (frozenset(), {"KEY": "value 2"})


def test_a_fingerprint_tells_every_part_and_the_place_between_them() -> None:
    parts = [
        (),
        ("a",),
        ("a", ""),
        ("", "a"),
        ("ab",),
        ("a", "b"),
        ({"a": 1},),
        ({"a": 2},),
        (["a"],),
        ([["a"]],),
        (1,),
    ]
    found = [fingerprint(*part) for part in parts]
    assert len(set(found)) == len(parts)
    assert all(len(text) == 32 for text in found)
    assert fingerprint({"a": 1, "b": 2}, (1, 2)) == fingerprint({"b": 2, "a": 1}, [1, 2])
