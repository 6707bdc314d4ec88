"""Showing a plan, and asking a person whether it shall be done."""

import sys

import typer

from cabestan.cli.api import Thing
from cabestan.cli.cells import clean, colour, short_commit
from cabestan.cli.failures import EXIT_FAILED
from cabestan.cli.output import at_a_terminal, print_heading, print_line, tell


def print_plan(plan: Thing) -> None:
    """What is known of the release, the steps, the difference and the warnings."""
    print_evidence(plan.get("evidence"))
    print_heading("Steps")
    for number, step in enumerate(plan["steps"], 1):
        print_line(f"{number}. {step['text']}{_deadline(step)}")
    print_heading("Changes")
    if plan["changes"]:
        for change in plan["changes"]:
            print_line(change["text"])
    else:
        print_line("None: what serves is what this would put there.")
    for warning in plan.get("warnings") or []:
        print_line(f"warning: {_words(warning)}", "yellow")


def print_evidence(evidence: Thing | None) -> None:
    """How the release fared elsewhere, and the commits that it brings, or lacks."""
    if not evidence:
        return
    print_heading("What is known of it")
    for one in evidence["fared"]:
        print_line(one["told"], colour(str(one["status"] or "")))
    if evidence["trouble"]:
        print_line(evidence["trouble"])
    elif evidence["first"]:
        print_line("Nothing serves there yet.")
    elif not evidence["brings"]["total"] and not evidence["takes"]["total"]:
        print_line("It is of the same commit as what serves.")
    _print_commits("It brings {}:", evidence["brings"])
    _print_commits("It lacks {} of what serves now:", evidence["takes"])


def _print_commits(words: str, found: Thing) -> None:
    if not found["total"]:
        return
    count = int(found["total"])
    print_line(words.format(f"{count} commit{'s' if count > 1 else ''}"))
    for one in found["commits"]:
        print_line(f"  {short_commit(one['commit'])}  {one['title']}  by {one['author']}")
    if more := count - len(found["commits"]):
        print_line(f"  and {more} more")


def confirm(question: str, *, asked: bool) -> None:
    """Goes on where the person says yes, and where there is none to ask; ends the command for anything else."""
    if not asked:
        return
    print(f"{clean(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        tell("Nothing was done.")
        raise typer.Exit(EXIT_FAILED)


def to_be_asked(*, yes: bool, as_json: bool) -> bool:
    """Whether a person is there who wants to be: a script that names a deployment has decided."""
    return not yes and not as_json and at_a_terminal()


def _deadline(step: Thing) -> str:
    seconds = step.get("deadline_seconds")
    return f"  (at most {seconds} s)" if seconds else ""


def _words(warning: object) -> str:
    return str(warning["message"]) if isinstance(warning, dict) and "message" in warning else str(warning)
