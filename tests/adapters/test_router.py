from cabestan.adapters.router import ServiceContainer, registry_container


def test_the_registry_is_reached_on_the_loopback_address_alone() -> None:
    assert registry_container("cabestan", "cabestan/registry:2", 5600) == ServiceContainer(
        "cabestan-registry",
        "registry",
        "cabestan/registry:2",
        (),
        {"5000/tcp": ("127.0.0.1", 5600)},
        {"cabestan-registry": "/var/lib/registry"},
        {},
    )
