"""Where the time of a run of all tests goes, by kind, as docs/testing.md has it.

    bin/test --junitxml=FILE && python -m tests.times FILE

writes the table anew. The budgets stand here.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

PAGE = Path(__file__).parents[1] / "docs" / "testing.md"
BEGIN, END = "<!-- written by tests/times.py -->", "<!-- end -->"
#: kind to folders below tests/, and to seconds that all of its tests may take, one after the other
KINDS: dict[str, tuple[tuple[str, ...], int]] = {
    "values and decisions": (("domain", "compose", "pipeline", "checks"), 200),
    "database and workflows": (("store", "engine"), 400),
    "pages, API, Git over HTTP": (("web",), 450),
    "commands": (("cli",), 80),
    "one outside system each": (("adapters",), 250),
    "the platform on a Docker engine": (("integration",), 5000),
    "a browser": (("e2e",), 350),
    "everything else": ((), 150),
}


def kind_of(test: str) -> str:
    """Of a test's module, `tests.web.test_api`."""
    folder = test.split(".")[1]
    return next((kind for kind, (folders, _) in KINDS.items() if folder in folders), "everything else")


def table(run: Path) -> str:
    """The rows of a run, from its JUnit file."""
    seconds: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for case in ElementTree.parse(run).iter("testcase"):
        kind = kind_of(case.attrib["classname"])
        seconds[kind] += round(float(case.attrib["time"]) * 1000)
        count[kind] += 1
    lines = ["| kind | tests | seconds | at most |", "| --- | --- | --- | --- |"]
    lines += [_row(kind, count[kind], seconds[kind], most) for kind, (_, most) in KINDS.items()]
    lines.append(_row("all", count.total(), seconds.total(), sum(most for _, most in KINDS.values())))
    return "\n".join(lines)


def _row(kind: str, count: int, milliseconds: int, most: int) -> str:
    return f"| {kind} | {count:,} | {milliseconds // 1000:,} | {most:,} |"


def main(run: str) -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(Path(run))}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main(sys.argv[1])
