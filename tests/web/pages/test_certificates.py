"""Certificates by where they come from and what they are for."""

from __future__ import annotations

from datetime import timedelta

from tests.web.pages.samples import NOW

from cabestan.domain.certificate import Certificate, CertificateKind
from cabestan.store.hosts import HostClaim
from cabestan.web.pages.certificates import Origin, Place, origins

OWN, UPLOADED = CertificateKind.OWN, CertificateKind.UPLOADED
CLAIMS = [
    HostClaim("shop.localhost", "shop/web", "production", 1, NOW),
    HostClaim("staging.localhost", "shop/web", "staging", 2, NOW),
    HostClaim("www.boulangerie.example", "shop/web", "production", 1, NOW),
    HostClaim("pay.example", "shop/pay", "production", 3, NOW),
]
WEB = ("shop/web production", "/shop/web/environments/production")


def _certificate(key: int, kind: CertificateKind, *hosts: str, project: str = "") -> Certificate:
    return Certificate(key, kind, hosts, "", "An authority", "f" * 64, NOW, NOW + timedelta(days=90), project)


def _public(host: str) -> bool:
    return host.endswith(".example")


def test_each_stands_where_it_comes_from_and_with_the_environment_that_it_is_for() -> None:
    shop = _certificate(1, OWN, "shop.localhost")
    brought = _certificate(2, UPLOADED, "pay.example", project="shop/pay")
    assert origins([shop, brought], CLAIMS, _public) == (
        Origin("Brought", "by people, for names of theirs", (Place("shop/pay", "/shop/pay", (brought,)),)),
        Origin("Own authority", "signed here, for names that are not public", (Place(*WEB, (shop,)),)),
        Origin(
            "ACME",
            "had and renewed by the router, which keeps them",
            (Place(*WEB, names=("www.boulangerie.example",)),),
        ),
    )


def test_one_for_many_environments_and_one_for_none_say_so() -> None:
    many, none = _certificate(1, OWN, "*.localhost"), _certificate(2, OWN, "gone.localhost")
    (origin,) = origins([many, none], CLAIMS, lambda _: False)
    assert [(place.name, place.rows) for place in origin.places] == [
        ("no name that is routed", (none,)),
        ("several environments", (many,)),
    ]


def test_without_any_there_is_no_origin() -> None:
    assert origins([], [], _public) == ()
