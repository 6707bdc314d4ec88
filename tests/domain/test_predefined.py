import pytest

from cabestan.domain.predefined import PREDEFINED, Place, names_for, slugify, tier


def test_every_name_is_there_once_in_order() -> None:
    names = [entry.name for entry in PREDEFINED]
    assert names == sorted(set(names))
    assert names_for(Place.JOB) & names_for(Place.DEPLOYMENT) == {e.name for e in PREDEFINED if e.place is Place.BOTH}


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("main", "main"),
        ("Feature/Log_in", "feature-log-in"),
        ("a//b", "a--b"),
        ("-Ünï-", "n"),
        ("x" * 70, "x" * 63),
        ("a" * 62 + "/b", "a" * 62),
    ],
)
def test_slugs_are_those_of_gitlab(text: str, slug: str) -> None:
    assert slugify(text) == slug


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ("review/login", "development"),
        ("integration", "testing"),
        ("staging", "staging"),
        ("preprod", "staging"),
        ("production", "production"),
        ("Live-2", "production"),
        ("shop", "other"),
    ],
)
def test_the_kind_of_an_environment_is_guessed_by_its_name_as_gitlab_does(environment: str, kind: str) -> None:
    assert tier(environment) == kind
