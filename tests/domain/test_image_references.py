import pytest

from cabestan.domain.image import familiar_name, in_registry


@pytest.mark.parametrize(
    ("reference", "familiar"),
    [
        ("debian", "debian:latest"),
        ("library/debian:12", "debian:12"),
        ("docker.io/library/debian:12", "debian:12"),
        ("index.docker.io/acme/app", "acme/app:latest"),
        ("127.0.0.1:5600/shop/api", "127.0.0.1:5600/shop/api:latest"),
        ("127.0.0.1:5600/shop/api:0.2", "127.0.0.1:5600/shop/api:0.2"),
        ("debian:12@sha256:ab", "debian@sha256:ab"),
        ("example.org/library/debian@sha256:ab", "example.org/library/debian@sha256:ab"),
        ("82a6d02884", "82a6d02884:latest"),
        ("sha256:82a6d02884", "sha256:82a6d02884"),
    ],
)
def test_an_image_has_one_name_as_the_engine_lists_it(reference: str, familiar: str) -> None:
    assert familiar_name(reference) == familiar


@pytest.mark.parametrize(
    ("reference", "is_ours"),
    [
        ("127.0.0.1:5600/shop/api", True),
        ("localhost:5600/shop/api:1", True),
        ("LocalHost:5600/shop/api", True),
        ("127.8.0.1:5600/shop/api", True),
        ("[::1]:5600/shop/api", True),
        ("127.1:5600/shop/api", True),
        ("x.localhost:5600/shop/api", True),
        ("127.0.0.1:5601/shop/api", False),
        ("example.org:5600/shop/api", False),
        ("localhost/shop/api", False),
        ("shop/api:5600", False),
        ("localhost:5600", False),
    ],
)
def test_our_registry_is_known_by_all_names_of_this_machine(reference: str, is_ours: bool) -> None:
    assert in_registry(reference, "127.0.0.1:5600") is is_ours
