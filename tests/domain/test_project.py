import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import NOW

from cabestan.domain.project import Project, RefChange, ref_changes

REFS = st.dictionaries(st.sampled_from([f"refs/heads/{n}" for n in "abcd"] + ["refs/tags/v1"]), st.sampled_from("123"))


def test_a_push_is_the_difference_between_what_was_seen_and_what_is() -> None:
    seen = {"refs/heads/gone": "1", "refs/heads/main": "2", "refs/heads/same": "3"}
    actual = {"refs/heads/main": "4", "refs/heads/same": "3", "refs/heads/new": "5", "refs/tags/v1": "6"}

    assert ref_changes(seen, actual) == (
        RefChange("refs/heads/gone", "1", None),
        RefChange("refs/heads/main", "2", "4"),
        RefChange("refs/heads/new", None, "5"),
        RefChange("refs/tags/v1", None, "6"),
    )


@given(REFS, REFS)
def test_the_changes_lead_from_the_one_to_the_other_and_once_taken_are_none(
    seen: dict[str, str], actual: dict[str, str]
) -> None:
    moved = dict(seen)
    for change in ref_changes(seen, actual):
        assert moved.pop(change.ref, None) == change.before
        if change.after:
            moved[change.ref] = change.after
    assert moved == actual
    assert ref_changes(moved, actual) == ()


def test_a_branch_may_hold_slashes_and_a_tag_is_none() -> None:
    assert RefChange("refs/heads/release/1", None, "1").branch == "release/1"
    assert RefChange("refs/tags/release/1", None, "1").branch is None


def test_a_project_has_a_group_and_a_short_name() -> None:
    project = Project(1, "shop/api", "main", NOW)
    assert (project.group, project.short_name, project.slug) == ("shop", "api", "shop-api")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("@default",), {"main"}),
        ((), set()),
        (("release/*", "@default"), {"main", "release/1"}),
        (("*",), {"main", "release/1", "other"}),
    ],
)
def test_protected_branches_are_told_by_patterns(patterns: tuple[str, ...], expected: set[str]) -> None:
    project = Project(1, "shop/api", "main", NOW, patterns)
    assert {branch for branch in ("main", "release/1", "other") if project.protects(branch)} == expected
