"""What a host name says about itself: whether the whole world can know it, and what a certificate for it covers."""

from collections.abc import Iterable

#: names below these exist on one machine or in one network only: no public authority signs for them
SPECIAL_DOMAINS = (
    "alt",
    "corp",
    "example",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
)


def is_below(host: str, domains: Iterable[str]) -> bool:
    """Whether it is one of the domains, or a name in one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def is_public(host: str, private_domains: Iterable[str] = ()) -> bool:
    """Whether a public authority may sign for it: it has a domain, and is not in one of the special ones."""
    return "." in host and not is_below(host, (*SPECIAL_DOMAINS, *private_domains))


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name holds for a host: the same, or a wildcard in place of its first label."""
    first, dot, rest = host.partition(".")
    return name == host or bool(dot and first and name == f"*.{rest}")


def wildcard_of(domain: str) -> tuple[str, ...]:
    """What stands for all names of a domain: none for one of a single label, whose wildcards browsers refuse."""
    return (f"*.{domain}",) if "." in domain else ()
