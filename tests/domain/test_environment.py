import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import environment

from cabestan.domain.environment import free_label


@pytest.mark.parametrize(
    ("branches", "branch", "taken"),
    [
        (("@default",), "main", True),
        (("@default",), "other", False),
        (("@default", "release/*"), "release/1", True),
        (("release/*",), "main", False),
        (("release/*",), "release", False),
        (("release/*",), "Release/1", False),
        (("*",), "any/thing", True),
        ((), "main", False),
        (("main",), "main2", False),
    ],
)
def test_releases_of_some_branches_come_by_themselves(branches: tuple[str, ...], branch: str, taken: bool) -> None:
    assert environment(branches=branches).takes(branch, "main") is taken


@pytest.mark.parametrize(
    ("changes", "domain"),
    [
        ({}, "staging-api-shop.localhost"),
        ({"name": "review/New_Login"}, "review-new-login-api-shop.localhost"),
        ({"domain": "www.example.org"}, "www.example.org"),
        ({"name": "x" * 80}, f"{'x' * 63}.localhost"),
    ],
)
def test_the_default_domain_is_made_of_environment_project_and_group(changes: dict[str, str], domain: str) -> None:
    assert environment(**changes).full_domain("localhost") == domain


def test_what_was_chosen_for_an_environment_stays_its_default_domain() -> None:
    made = environment(label="staging-api-shop-0a1b2c", domain="www.example.org")
    assert (made.full_domain("localhost"), made.default_domain("localhost")) == (
        "www.example.org",
        "staging-api-shop-0a1b2c.localhost",
    )


def test_a_label_is_taken_by_one_only_and_never_too_long() -> None:
    assert free_label("b-c/a", "review/x", ()) == "review-x-a-b-c"
    second = free_label("c/a-b", "review/x", {"review-x-a-b-c"})
    third = free_label("c/a-b", "review/x", {"review-x-a-b-c", second})
    assert re.fullmatch(r"review-x-a-b-c-[0-9a-f]{6}", second)
    assert re.fullmatch(r"review-x-a-b-c-[0-9a-f]{6}", third)
    assert second != third
    assert second == free_label("c/a-b", "review/x", {"review-x-a-b-c"})
    project = f"{'g' * 15}/{'p' * 16}"
    long = [free_label(project, f"{'e' * 39}{end}", ()) for end in "12"]
    assert len({*long}) == 2
    assert all(re.fullmatch(r"e{39}[12]-p{15}-[0-9a-f]{6}", label) and len(label) <= 63 for label in long)


@pytest.mark.parametrize(
    ("instance", "id", "name", "stack"),
    [
        ("cabestan", 7, "staging", "cabestan-7-shop-api-staging"),
        ("cabestan", 7, "review/login", "cabestan-7-shop-api-review-login"),
        ("abcdefghijkl", 123456, "production", "abcdefghijkl-123456-shop-api-pro"),
        ("abcdefghijkl", 1234567890, "production", "abcdefghijkl-1234567890-shop-api"),
    ],
)
def test_a_stack_is_named_for_its_environment(instance: str, id: int, name: str, stack: str) -> None:
    assert environment(id=id, name=name).stack_name(instance) == stack


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(
    instance=st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True),
    id=st.integers(1, 10**9),
    project=st.tuples(LABELS, LABELS),
    name=st.from_regex(r"[a-z0-9]([a-z0-9/-]{0,38}[a-z0-9])?", fullmatch=True),
)
def test_names_in_swarm_and_of_hosts_are_well_formed(
    instance: str, id: int, project: tuple[str, str], name: str
) -> None:
    made = environment(id=id, project="/".join(project), name=name)
    stack = made.stack_name(instance)
    assert len(stack) <= 32
    assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", stack)
    assert stack.startswith(f"{instance}-{id}")
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.localhost", made.full_domain("localhost"))
