"""The table of where the time of a run goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import times

_RUN = """\
<testsuites><testsuite>
<testcase classname="tests.web.test_api" name="test_a" time="1.200"/>
<testcase classname="tests.web.pages.test_jobs" name="test_b" time="0.900"/>
<testcase classname="tests.integration.attack.test_git" name="test_c" time="12.5"><failure/></testcase>
<testcase classname="tests.test_ports" name="test_d" time="0.5"/>
</testsuite></testsuites>
"""


def test_the_page_gets_the_rows_of_a_run_and_keeps_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, page = tmp_path / "run.xml", tmp_path / "testing.md"
    run.write_text(_RUN)
    page.write_text(f"Before.\n\n{times.BEGIN}\nold\n{times.END}\n\nAfter.\n")
    monkeypatch.setattr(times, "PAGE", page)
    for _ in range(2):
        times.main(str(run))
    rows = dict(line.strip("| ").split(" | ", 1) for line in page.read_text().splitlines() if line.startswith("|"))
    assert {kind: row.rpartition(" | ")[0] for kind, row in rows.items() if row.startswith(("1 ", "2 ", "4 "))} == {
        "pages, API, Git over HTTP": "2 | 2",
        "the platform on a Docker engine": "1 | 12",
        "everything else": "1 | 0",
        "all": "4 | 15",
    }
    assert page.read_text().startswith("Before.\n\n")
    assert page.read_text().endswith("\n\nAfter.\n")
