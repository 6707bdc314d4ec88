from __future__ import annotations

import pytest

from cabestan.errors import NotSignedIn
from cabestan.web import throttle
from cabestan.web.throttle import Throttle, client_at


def tried(by: Throttle, *names: str) -> list[str]:
    """From no address in particular; gives what is remembered then."""
    for name in names:
        by.begin(name, "", hashing=False)
    return [name for name, _ in by._failures]


def test_the_failures_of_many_names_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now[0])
    by = Throttle()
    tried(by, *(f"name-{number}" for number in range(1000)))
    now[0] += 61
    assert tried(by, "last") == ["last"]


def test_the_failures_of_so_many_names_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_REMEMBERED", 3)
    assert tried(Throttle(), "a", "b", "a", "c", "d", "e") == ["c", "d", "e"]


def test_what_is_refused_is_not_remembered() -> None:
    by = Throttle()
    for number in range(60):
        by.begin("dev", str(number), hashing=True)
    with pytest.raises(NotSignedIn, match="Too many failed tries"):
        by.begin("dev", "further", hashing=True)
    assert len(by._failures) == 60


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_client_has_one_address_and_in_ipv6_a_whole_network(address: str, client: str) -> None:
    assert client_at(address) == client
