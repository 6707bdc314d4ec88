from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.router import registry_container

REALM = "http://127.0.0.1:8600/registry/token"


def test_the_registry_is_reached_on_the_loopback_address_and_takes_our_tokens_alone() -> None:
    login = RegistryLogin("127.0.0.1:5600", "s3cret")
    made = registry_container("cabestan", "cabestan/registry:3", 5600, login, REALM)
    assert (made.name, made.role, made.image) == ("cabestan-registry", "registry", "cabestan/registry:3")
    assert made.ports == {"5000/tcp": ("127.0.0.1", 5600)}
    assert made.volumes == {"cabestan-registry": "/var/lib/registry"}
    [(path, content)] = made.files.items()
    assert made.environment == {
        "REGISTRY_AUTH_TOKEN_REALM": REALM,
        "REGISTRY_AUTH_TOKEN_SERVICE": "cabestan",
        "REGISTRY_AUTH_TOKEN_ISSUER": login.issuer,
        "REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE": path,
        "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR": "none",
    }
    assert content.startswith(b"-----BEGIN CERTIFICATE-----")
    assert made.reader == 1001


def test_a_registry_that_runs_is_made_anew_with_another_key_and_not_with_another_certificate_of_the_same() -> None:
    logins = (RegistryLogin("127.0.0.1:5600", secret) for secret in ("s3cret", "s3cret", "other"))
    made = [registry_container("cabestan", "cabestan/registry:3", 5600, login, REALM) for login in logins]
    assert made[0].files != made[1].files
    assert made[0].settings == made[1].settings != made[2].settings
