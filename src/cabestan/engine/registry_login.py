"""The registry's login follows from the installation's key: nothing of it is stored."""

from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.vault import Vault
from cabestan.config import Settings

#: what it is derived for
PURPOSE = "registry"


def registry_login(settings: Settings, vault: Vault, address: str = "") -> RegistryLogin:
    """`address`: where whoever uses it finds the registry, if not where this machine does."""
    return RegistryLogin(address or settings.registry, vault.derive(PURPOSE), settings.registry)
