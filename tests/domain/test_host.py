import pytest

from cabestan.domain.host import covers, is_below, is_public, wildcard_of


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("example.org", True),
        ("a.b.example.org", True),
        ("a.localhost", False),
        ("localhost", False),
        ("machine", False),
        ("x.home.arpa", False),
        ("arpa.home.org", True),
        ("a.corp.example.com", False),
        ("corp.example.com", False),
        ("acorp.example.com", True),
    ],
)
def test_a_public_name_has_a_domain_that_all_can_know(host: str, public: bool) -> None:
    assert is_public(host, ("corp.example.com",)) is public


def test_a_name_is_below_a_domain_by_whole_labels() -> None:
    assert [is_below(host, ("b.c",)) for host in ("b.c", "a.b.c", "ab.c", "c")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "host", "holds"),
    [
        ("a.org", "a.org", True),
        ("*.a.org", "b.a.org", True),
        ("*.a.org", "a.org", False),
        ("*.a.org", "c.b.a.org", False),
        ("a.org", "b.a.org", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, host: str, holds: bool) -> None:
    assert covers(name, host) is holds


def test_a_domain_of_one_label_has_no_wildcard() -> None:
    assert (wildcard_of("localhost"), wildcard_of("apps.internal")) == ((), ("*.apps.internal",))
