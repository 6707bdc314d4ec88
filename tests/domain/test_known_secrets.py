from cabestan.domain.known_secrets import KnownSecrets


def test_a_value_is_masked_from_when_it_is_known() -> None:
    known = KnownSecrets()
    assert known.mask("my-secret-value") == "my-secret-value"
    known.add("my-secret-value")
    assert known.mask("it is my-secret-value") == "it is [secret]"


def test_of_too_many_values_those_not_used_for_long_are_forgotten() -> None:
    known = KnownSecrets(most=2)
    known.add("first-value", "second-value")
    known.add("first-value")
    known.add("third-value")
    assert known.mask("first-value second-value third-value") == "[secret] second-value [secret]"
