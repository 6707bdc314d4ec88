import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain import names
from cabestan.errors import Invalid

Check = Callable[[str], str]
GOOD: dict[Check, tuple[str, ...]] = {
    names.project_name: ("a/b", "shop/api", "shop-1/api-2", f"{'a' * 15}/{'b' * 16}"),
    names.environment_name: ("staging", "review/login", "a", "1", "x" * 40),
    names.variable_name: ("A", "_a", "lower", "LEVEL_2", "A" * 128),
    names.variable_value: ("", "x", "two\nlines", "ü" * 32768),
    names.user_name: ("a", "ann", "a.b-c_d", "a" * 32),
    names.host_name: ("localhost", "www.example.org", "a.b", "1.example.org", f"{'a' * 63}.org"),
    names.branch_pattern: ("main", "release/*", "*", "feature/A_b.c+d@e", "x" * 200),
    names.branch_name: ("main", "release/1.0", "feature/A_b.c+d@e"),
}
BAD: dict[Check, tuple[str, ...]] = {
    names.project_name: (
        "", "a", "/", "a/", "/b", "a/b/c", "A/b", "a/B", "a b/c", "-a/b", "a-/b", "a/b\n", "a/../b", "ä/b",
        "a/b.git", f"{'a' * 16}/{'b' * 16}", "api/x", "login/x", "static/x", "internal/x", "\0/b", "１/b",
    ),
    names.environment_name: (
        "", "/", "a/", "/a", "a//b", "A", "a b", "a_b", "a.b", "-a", "a-", "x" * 41, "a\n", "..", "é",
        "review/plan", "review/deployments", "review/rollback",
    ),
    names.variable_name: ("", "1A", "A-B", "A B", "A=B", "É", "A\n", "A" * 129, "CI_X", "CABESTAN_X", "A\0"),
    names.variable_value: ("\0", "a\0b", "x" * 65537, "ü" * 32769),
    names.user_name: ("", "A", "-a", "a-", "a b", "a/b", "a" * 33, "a\n", "é"),
    names.host_name: (
        "", "A.org", "a..b", ".a", "a.", "-a.org", "a-.org", "http://a.org", "a.org:80", "a.org/x", "a_b.org",
        "*.example.org", f"{'a' * 64}.org", ".".join(["a" * 60] * 5), "a.org\n", "ä.org",
    ),
    names.branch_pattern: ("", "a b", "x" * 201, "a\n", "a[b]", "a?", "a~b", "a:b", "a\\b", "é"),
    names.branch_name: (
        "", "*", "release/*", "a b", "-a", "/a", "a/", "a//b", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a.",
        "a@{b", "@", "x" * 201, "a\n",
    ),
}  # fmt: skip
FORMS: dict[Check, str] = {
    names.project_name: r"[a-z0-9-]{1,30}/[a-z0-9-]{1,30}",
    names.environment_name: r"[a-z0-9/-]{1,40}",
    names.variable_name: r"[A-Za-z0-9_]{1,128}",
    names.user_name: r"[a-z0-9._-]{1,32}",
    names.host_name: r"[a-z0-9.-]{1,253}",
    names.branch_pattern: r"[A-Za-z0-9._/*+@-]{1,200}",
    names.branch_name: r"[A-Za-z0-9._/+@-]{1,200}",
}


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in GOOD.items() for text in texts])
def test_a_good_name_is_given_back_as_it_is(check: Check, text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in BAD.items() for text in texts])
def test_a_malformed_name_is_refused_with_a_remedy(check: Check, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(text)
    assert refused.value.remedy
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("check", FORMS)
@given(text=st.text() | st.text("ab0-_./*@A\n\0 ", max_size=80))
def test_nothing_malformed_passes(check: Check, text: str) -> None:
    try:
        passed = check(text)
    except Invalid:
        return
    assert passed == text
    assert re.fullmatch(FORMS[check], text)
    assert not re.search(r"\s", text)


@given(st.text())
def test_a_slug_is_a_label_of_a_host_name_or_empty(text: str) -> None:
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?", names.slug(text))


def test_a_slug_keeps_what_can_be_kept() -> None:
    assert names.slug("Review/New_Login!") == "review-new-login"
    assert names.slug("-".join(["x" * 62, "y"])) == "x" * 62


@pytest.mark.parametrize(
    ("typed", "told"),
    [("stagin", "Did you mean staging? "), ("producton", "Did you mean production? "), ("x", ""), ("y" * 9999, "")],
)
def test_a_name_that_is_nearly_one_is_answered_with_it(typed: str, told: str) -> None:
    assert names.meant(typed, ("production", "staging")) == told
