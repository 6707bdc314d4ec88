import json
from base64 import b64decode

import bcrypt

from cabestan.adapters.registry_login import RegistryLogin

LOGIN = RegistryLogin("127.0.0.1:5600", "s3cret")


def test_docker_knows_the_login_from_its_file() -> None:
    known = json.loads(LOGIN.client_file)
    assert list(known) == ["auths"]
    assert list(known["auths"]) == ["127.0.0.1:5600"]
    assert b64decode(known["auths"]["127.0.0.1:5600"]["auth"]) == b"cabestan:s3cret"


def test_the_engine_is_told_it_for_images_of_our_registry_alone() -> None:
    told = {"username": "cabestan", "password": "s3cret", "serveraddress": "127.0.0.1:5600"}
    assert LOGIN.of("127.0.0.1:5600/shop/api@sha256:ab") == told
    for foreign in ("debian:12", "127.0.0.1:56001/shop/api", "127.0.0.1:5600", "registry.example.org/shop/api"):
        assert LOGIN.of(foreign) is None


def test_the_registry_gets_a_hash_of_it() -> None:
    user, _, hashed = LOGIN.password_file.rstrip(b"\n").partition(b":")
    assert user == b"cabestan"
    assert bcrypt.checkpw(b"s3cret", hashed)
    assert not bcrypt.checkpw(b"secret", hashed)


def test_the_password_does_not_show() -> None:
    assert "s3cret" not in repr(LOGIN)
