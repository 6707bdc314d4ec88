"""A check sees services that the platform serves as a deployment does: not in the stack, their variables there."""

from cabestan.checks.managed import with_managed
from cabestan.checks.subject import Place
from cabestan.compose.library import SourceFile
from cabestan.compose.placeholder import secret_placeholder
from cabestan.domain.managed import Kind

FILES = (SourceFile("c.yml", "services:\n  app: {}\n  postgresql: {}\n  redis: {}\n"),)


def test_where_the_platform_serves_them_their_variables_are_known() -> None:
    place, kinds = with_managed(Place("staging", {"A": "b"}, secrets=frozenset({"KEY"})), "shop/api", FILES)
    assert kinds == (Kind.POSTGRESQL, Kind.REDIS)
    assert place.variables == {
        "A": "b",
        "POSTGRES_DB": "shop_api",
        "POSTGRES_USER": "shop_api",
        "POSTGRES_SSL": "false",
        "POSTGRES_PASSWORD": secret_placeholder("POSTGRES_PASSWORD"),
    }
    assert place.secrets == {"KEY", "POSTGRES_PASSWORD"}


def test_where_nobody_knows_the_secrets_something_stands_in() -> None:
    place, _ = with_managed(Place("staging", {}), "shop/api", FILES)
    assert (place.variables["POSTGRES_PASSWORD"], place.secrets) == ("value", None)


def test_elsewhere_they_are_services_like_others() -> None:
    development = Place("dev", {"A": "b"})
    assert with_managed(development, "shop/api", FILES) == (development, ())
    denied = Place("staging", {}, managed=False)
    assert with_managed(denied, "shop/api", FILES) == (denied, ())
    assert with_managed(Place("dev", {}, managed=True), "shop/api", FILES)[1] == (Kind.POSTGRESQL, Kind.REDIS)
