from __future__ import annotations

from tests.samples import NOW
from tests.store.rows import make_project

from cabestan.domain.claims import HostRule
from cabestan.store import hosts
from cabestan.store.database import Database
from cabestan.store.hosts import HostClaim, StoredRule


def test_claims_are_kept_by_environment_and_taken_back_one_by_one(database: Database) -> None:
    with database.writing() as tx:
        rows = make_project(tx)
        hosts.add_claims(tx, rows.staging, ["b.org", "*.a.org", "b.org"], NOW)
        hosts.add_claims(tx, rows.staging, ["b.org"], NOW)
        hosts.add_claims(tx, rows.production, ["b.org"], NOW)
        hosts.add_claims(tx, rows.production, [], NOW)
        expected = (
            HostClaim("*.a.org", "shop/api", "staging", rows.staging.id, NOW),
            HostClaim("b.org", "shop/api", "staging", rows.staging.id, NOW),
            HostClaim("b.org", "shop/api", "production", rows.production.id, NOW),
        )
        assert hosts.claims(tx) == expected
        hosts.remove_claim(tx, "b.org", rows.staging.id)
        assert hosts.claims(tx) == (expected[0], expected[2])


def test_a_rule_takes_the_place_of_the_one_for_the_same_pattern(database: Database) -> None:
    with database.writing() as tx:
        hosts.put_rule(tx, HostRule("b.org", "shop"), "ann", NOW)
        hosts.put_rule(tx, HostRule("*.a.org", "shop/api"), "ann", NOW)
        hosts.put_rule(tx, HostRule("b.org", "other"), "ben", NOW)
        assert hosts.rules(tx) == (
            StoredRule(HostRule("*.a.org", "shop/api"), "ann", NOW),
            StoredRule(HostRule("b.org", "other"), "ben", NOW),
        )
        assert (hosts.remove_rule(tx, "b.org"), hosts.remove_rule(tx, "b.org")) == (True, False)
