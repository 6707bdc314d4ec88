from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.router import registry_container


def test_the_registry_is_reached_on_the_loopback_address_and_with_the_login_alone() -> None:
    login = RegistryLogin("127.0.0.1:5600", "s3cret")
    made = registry_container("cabestan", "cabestan/registry:3", 5600, login)
    assert (made.name, made.role, made.image) == ("cabestan-registry", "registry", "cabestan/registry:3")
    assert made.ports == {"5000/tcp": ("127.0.0.1", 5600)}
    assert made.volumes == {"cabestan-registry": "/var/lib/registry"}
    [(path, content)] = made.files.items()
    assert made.environment["REGISTRY_AUTH_HTPASSWD_PATH"] == path
    assert content.startswith(b"cabestan:$2b$")
    assert made.reader == 1001


def test_a_registry_that_runs_is_not_made_anew_because_its_password_is_hashed_anew() -> None:
    login = RegistryLogin("127.0.0.1:5600", "s3cret")
    one, two = (registry_container("cabestan", "cabestan/registry:3", 5600, login) for _ in range(2))
    assert one.settings == two.settings
