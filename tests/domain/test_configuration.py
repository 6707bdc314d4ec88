from itertools import permutations

from tests.samples import NOW

from cabestan.domain.configuration import Setting, fingerprint, nearest


def setting(id: int, name: str, environment: str = "", *, secret: bool = False) -> Setting:
    return Setting(id, 1, environment, name, 1, secret, "" if secret else f"value {id}", "dev", NOW)


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
