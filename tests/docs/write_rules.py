"""Writes the pages of the rules, and the table of refused keys: `python -m tests.docs.write_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.docs.pages import ROOT

from cabestan.compose import policy
from cabestan.compose.rules import RULES, images, reading, routing, service_rules, storage
from cabestan.compose.rules.keys import key_rules
from cabestan.domain.rule import Rule

FOLDER = ROOT / "docs/rules"
COMPOSE = ROOT / "docs/compose.md"
_BEGIN, _END = "<!-- written by tests/docs/write_rules.py -->\n", "<!-- end -->\n"
_DOCKERFILES = {rule.code for rule in images.RULES}
_GROUPS = (
    ("Reading the file", reading.RULES),
    ("Services", service_rules.RULES),
    ("Volumes", storage.RULES),
    ("Routes", routing.RULES),
    ("Images, Dockerfiles and the working copy", images.RULES),
    ("Keys", tuple(key_rules())),
)


def pages() -> Mapping[Path, str]:
    """Path to text, of all that is written."""
    texts = {FOLDER / f"{rule.code}.md": page(rule) for rule in RULES.values()}
    return texts | {FOLDER / "README.md": index(), COMPOSE: compose()}


def page(rule: Rule) -> str:
    parts = [f"# {rule.code}", f"{rule.title}.", rule.reason, f"**What to do:** {rule.remedy}", _standing(rule)]
    if rule.wrong:
        parts.append(f"Refused:\n\n```text\n{rule.wrong}```" if rule.severity == "error" else _told(rule))
    if rule.right:
        kind = "dockerfile" if rule.code in _DOCKERFILES else "yaml"
        parts.append(f"Right:\n\n```{kind}\n{rule.right}```")
    return "\n\n".join(parts) + "\n\n[All rules](README.md)\n"


def _told(rule: Rule) -> str:
    return f"What is warned of:\n\n```text\n{rule.wrong}```"


def _standing(rule: Rule) -> str:
    if rule.severity == "warning":
        return "A warning: it holds nothing up."
    if rule.waivable:
        return (
            f"An error. An administrator can waive it for a project: `cabestan waiver add {rule.code} --reason TEXT`."
        )
    return "An error. It cannot be waived."


def index() -> str:
    head = (
        "# Rules\n\nWhat is checked before anything runs. Findings name their rule in brackets. "
        "[The Compose file](../compose.md) has all that is allowed.\n"
    )
    return head + "".join(f"\n## {title}\n\n{_table(rules)}" for title, rules in _GROUPS)


def _table(rules: tuple[Rule, ...]) -> str:
    rows = (
        f"| [{rule.code}]({rule.code}.md) | {rule.title} | {rule.severity} | {'yes' if rule.waivable else 'no'} |\n"
        for rule in rules
    )
    return "| rule | what it says | finding | can be waived |\n| --- | --- | --- | --- |\n" + "".join(rows)


def compose() -> str:
    """docs/compose.md with its table of refused keys."""
    text = COMPOSE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    return before + _BEGIN + _refused() + _END + rest.partition(_END)[2]


def _refused() -> str:
    keys = sorted({key for table in vars(policy).values() if isinstance(table, policy.Keys) for key in table.refused})
    rows = (_row(key, RULES[policy.refusal_code(key)]) for key in keys)
    return "| key | what happens | instead |\n| --- | --- | --- |\n" + "".join(rows)


def _row(key: str, rule: Rule) -> str:
    where = rule.title.partition(" is not allowed ")[2]
    return f"| [`{key}`](rules/{rule.code}.md) | refused {where}: {rule.reason} | {rule.remedy} |\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
