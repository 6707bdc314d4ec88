"""The table of what Cabestan sets is that of the code."""

import re

from tests.docs.pages import ROOT

from cabestan.domain.predefined import PREDEFINED

_ROW = re.compile(r"^\| `((?:CI|GITLAB)\w*)` \| (\w+) \| (.+) \|$", re.MULTILINE)


def test_the_variables_that_cabestan_sets_are_those_of_the_page() -> None:
    text = (ROOT / "docs/variables.md").read_text(encoding="utf-8")
    assert _ROW.findall(text) == [(entry.name, str(entry.place), entry.meaning) for entry in PREDEFINED]
