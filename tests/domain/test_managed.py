import pytest

from cabestan.domain.managed import Kind, managed_by_default, plain_variables, stack_name


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("production", True),
        ("staging", True),
        ("dev", False),
        ("development", False),
        ("review/login", False),
        ("reviewers", True),
    ],
)
def test_the_platform_serves_databases_everywhere_but_in_development(environment: str, expected: bool) -> None:
    assert managed_by_default(environment) is expected


def test_each_kind_has_the_variables_that_the_documentation_names() -> None:
    assert {kind: plain_variables(kind, "shop_api", "me") for kind in Kind} == {
        Kind.MYSQL: {"MYSQL_DATABASE": "shop_api", "MYSQL_USER": "me", "MYSQL_SSL": "false"},
        Kind.POSTGRESQL: {"POSTGRES_DB": "shop_api", "POSTGRES_USER": "me", "POSTGRES_SSL": "false"},
        Kind.MONGODB: {"MONGODB_DB": "shop_api", "MONGODB_USER": "me", "MONGODB_SSL": "false"},
        Kind.REDIS: {},
    }


def test_the_names_in_swarm_are_short_enough() -> None:
    stack = stack_name("x" * 32, Kind.POSTGRESQL)
    assert len(f"{stack}_managed-postgresql") <= 63
