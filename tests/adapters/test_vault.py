import stat
from pathlib import Path

import pytest

from cabestan.adapters.vault import Vault, make_key, read_key
from cabestan.domain.known_secrets import KnownSecrets
from cabestan.errors import ConfigurationError

VAULT = Vault(b"k" * 32)
OTHER = Vault(b"o" * 32)


@pytest.mark.parametrize("text", ["", "hunter2", "ünï\n" * 1000])
def test_what_is_sealed_opens_again_and_shows_nothing(text: str) -> None:
    sealed = VAULT.seal(text, "project 1")
    assert VAULT.open(sealed, "project 1") == text
    assert not text or text.encode() not in sealed
    assert VAULT.seal(text, "project 1") != sealed


def test_a_wrong_key_a_moved_and_a_changed_value_are_refused() -> None:
    sealed = VAULT.seal("hunter2", "project 1")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for vault, value, context in [
        (OTHER, sealed, "project 1"),
        (VAULT, sealed, "project 2"),
        (VAULT, changed, "project 1"),
        (VAULT, b"", "project 1"),
        (VAULT, sealed[:5], "project 1"),
    ]:
        with pytest.raises(ConfigurationError, match="cannot be opened with this key") as refused:
            vault.open(value, context)
        assert "hunter2" not in str(refused.value)


def test_the_key_is_recognised_by_its_check_value() -> None:
    assert VAULT.recognises(VAULT.check_value())
    assert not OTHER.recognises(VAULT.check_value())
    assert not VAULT.recognises("no hexadecimal digits")
    assert not VAULT.recognises("")


def test_a_derived_token_is_of_one_key_and_one_purpose() -> None:
    made = {
        vault.derive(purpose) for vault in (VAULT, OTHER) for purpose in ("hook", "job 1 attempt 1", "job 1 attempt 2")
    }
    assert len(made) == 6
    assert {len(token) for token in made} == {43}
    assert Vault(b"k" * 32).derive("hook") in made


def test_a_key_file_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    make_key(path)
    key = read_key(path)
    assert (len(key), stat.S_IMODE(path.stat().st_mode)) == (32, 0o600)
    with pytest.raises(FileExistsError):
        make_key(path)
    assert read_key(path) == key


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot be read"), ("no hex", "cannot be read"), ("ab" * 31, "has 31 bytes, not 32"), ("", "has 0 bytes")],
)
def test_a_file_that_holds_no_key_is_refused_with_its_path(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "key"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match=words) as refused:
        read_key(path)
    assert str(path) in str(refused.value)
    assert refused.value.remedy


def test_values_and_tokens_are_told_to_whoever_keeps_them_out_of_the_log() -> None:
    known = KnownSecrets()
    vault = Vault(b"k" * 32, known)
    token = vault.derive("hook")
    vault.seal("sealed-value", "here")
    vault.open(VAULT.seal("opened-value", "here"), "here")
    vault.check_value()
    assert known.mask(f"{token} sealed-value opened-value cabestan key check") == " ".join(
        ["[secret]"] * 3 + ["cabestan key check"]
    )
