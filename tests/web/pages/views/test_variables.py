from __future__ import annotations

from typing import Any

from tests.web.pages.samples import NOW, deployment, environment

from cabestan.domain.status import DeploymentStatus
from cabestan.domain.variable import Variable, Variables
from cabestan.engine.variables.levels import Outdated
from cabestan.web.pages.views.moments import when
from cabestan.web.pages.views.variables import (
    EffectiveCell,
    EffectiveRow,
    OutdatedNote,
    Place,
    Reader,
    SettingRow,
    effective_rows,
    outdated_note,
    setting_rows,
    used_words,
)

PLACE = Place("/demo/hello/settings/variables", project="demo/hello")


def setting(id: int, name: str, environment: str = "", **more: Any) -> Variable:
    given = {"version": 3, "secret": False, "value": "not for eyes", "by": "anna", "created_at": NOW}
    return Variable(**{"id": id, "project_id": 1, "environment": environment, "name": name} | given | more)


def of_group(id: int, name: str, **more: Any) -> Variable:
    return setting(id, name, **{"project_id": None, "group": "demo"} | more)


def test_a_secrets_value_never_reaches_the_page() -> None:
    secret = setting(1, "KEY", "production", secret=True)
    (row,) = setting_rows([secret], Reader(PLACE, NOW, True, frozenset({"KEY"})))
    assert row == SettingRow(
        name="KEY",
        scope="production",
        secret=True,
        value="",
        version=3,
        by="anna",
        changed=when(NOW, NOW),
        where="production",
        where_href="/demo/hello/environments/production",
        history_href="/demo/hello/settings/variables/history?variable=KEY&environment=production",
        badges=("file",),
        unset_action="/demo/hello/settings/variables/unset",
    )


def test_what_belongs_to_the_group_is_changed_on_its_own_page() -> None:
    rows = [of_group(1, "SV_STAGING_KEY", secret=True, protected=True), setting(2, "LEVEL", masked=True)]
    reader = Reader(PLACE, NOW, True, frozenset({"KEY"}), "/groups/demo/variables")
    group, own = setting_rows(rows, reader)
    assert (group.where, group.where_href, group.unset_action) == ("group demo", "/groups/demo/variables", "")
    assert group.history_href == "/groups/demo/variables/history?variable=SV_STAGING_KEY"
    assert (group.badges, own.badges, own.value) == (("protected", "file"), ("masked",), "not for eyes")
    group, own = setting_rows(rows, Reader(PLACE, NOW, False))
    assert (group.where_href, group.history_href, own.value, own.unset_action) == ("", "", "", "")
    on_its_page = Reader(Place("/groups/demo/variables", group="demo"), NOW, True)
    assert setting_rows(rows[:1], on_its_page)[0].unset_action == "/groups/demo/variables/unset"


def test_each_environment_has_a_cell_with_where_it_comes_from() -> None:
    staging = Variables((of_group(1, "KEY", secret=True, kept_as="SV_STAGING_KEY"), setting(2, "LEVEL")))
    production = Variables((setting(3, "LEVEL", "production", value="x" * 200, masked=False),))
    assert effective_rows([staging, production], masked_shown=True) == (
        EffectiveRow("KEY", (EffectiveCell("secret", True, "group demo, as SV_STAGING_KEY, version 3"), None)),
        EffectiveRow(
            "LEVEL",
            (
                EffectiveCell("not for eyes", False, "whole project, version 3"),
                EffectiveCell("x" * 119 + "…", False, "production, version 3"),
            ),
        ),
    )
    masked = Variables((setting(1, "LEVEL", masked=True),))
    assert effective_rows([masked], masked_shown=False)[0].cells == (
        EffectiveCell("masked", True, "whole project, version 3"),
    )
    assert used_words(staging.settings) == {
        "KEY": "group demo, as SV_STAGING_KEY, version 3",
        "LEVEL": "whole project, version 3",
    }


def test_a_note_counts_and_names_what_changed() -> None:
    served = deployment(12, DeploymentStatus.SUCCEEDED, release=7)
    assert outdated_note(Outdated(environment(name="staging"), served, ("KEY", "LEVEL"))) == OutdatedNote(
        environment="staging",
        text="2 variables and secrets changed since deployment 12 on staging: KEY, LEVEL.",
        deployment=12,
        deployment_href="/demo/hello/deployments/12",
        release=7,
        again_href="/demo/hello/deploy?environment=staging&release=7",
    )
