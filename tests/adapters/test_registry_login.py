import json
import re

import jwt
import pytest
from cryptography import x509

from cabestan.adapters.registry_login import SERVICE, RegistryLogin
from cabestan.domain.registry_access import Access

LOGIN = RegistryLogin("127.0.0.1:5600", "s3cret")
OTHER = RegistryLogin("127.0.0.1:5600", "other")


def read(token: str, login: RegistryLogin = LOGIN) -> dict[str, object]:
    """As the registry does, with the certificate that it was given."""
    key = x509.load_pem_x509_certificate(login.certificate).public_key()
    claims: dict[str, object] = jwt.decode(token, key, ["ES256"], audience=SERVICE, issuer=login.issuer)  # type: ignore[arg-type]
    return claims


def rights(token: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one["name"], tuple(one["actions"])) for one in read(token)["access"]]  # type: ignore[attr-defined]


def test_a_token_gives_what_it_names_for_a_while_and_no_more() -> None:
    token = LOGIN.token([Access("shop/api", ("pull", "push"))], to="job 7", seconds=60)
    claims = read(token)
    assert rights(token) == [("shop/api", ("pull", "push"))]
    assert claims["sub"] == "job 7"
    assert claims["exp"] - claims["iat"] == 60  # type: ignore[operator]


def test_a_key_that_the_registry_does_not_have_signs_nothing_that_it_takes() -> None:
    with pytest.raises(jwt.InvalidTokenError):
        read(OTHER.token([]), LOGIN)


def test_the_same_secret_is_the_same_key_and_is_named_as_the_registry_names_keys() -> None:
    header = jwt.get_unverified_header(RegistryLogin("127.0.0.1:5600", "s3cret").token([]))
    assert read(RegistryLogin("127.0.0.1:5600", "s3cret").token([]))
    assert re.fullmatch("([A-Z2-7]{4}:){11}[A-Z2-7]{4}", header["kid"])
    assert LOGIN.issuer != OTHER.issuer


def test_the_engine_is_told_one_for_images_of_our_registry_alone() -> None:
    told = LOGIN.of("127.0.0.1:5600/shop/api/web:1@sha256:ab")
    assert told
    assert rights(told["registrytoken"]) == [("shop/api/web", ("pull",))]
    pushing = LOGIN.of("127.0.0.1:5600/shop/api", "pull", "push")
    assert pushing
    assert rights(pushing["registrytoken"]) == [("shop/api", ("pull", "push"))]
    for foreign in ("debian:12", "127.0.0.1:56001/shop/api", "127.0.0.1:5600", "registry.example.org/shop/api"):
        assert LOGIN.of(foreign) is None


def test_nodes_pull_the_images_of_their_stack_alone() -> None:
    images = ("127.0.0.1:5600/shop/api@sha256:ab", "127.0.0.1:5600/cabestan/redis@sha256:cd", "debian:12")
    known = json.loads(LOGIN.client_file(images))
    assert list(known["auths"]) == ["127.0.0.1:5600"]
    found = rights(known["auths"]["127.0.0.1:5600"]["registrytoken"])
    assert found == [("cabestan/redis", ("pull",)), ("shop/api", ("pull",))]


def test_the_secret_does_not_show() -> None:
    assert "s3cret" not in repr(LOGIN)
