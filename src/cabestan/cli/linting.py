"""What `cabestan lint` and `cabestan render` do. Apart from their options, because the checks take time to import."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Literal, TextIO

import typer

from cabestan.checks.check import check, plan
from cabestan.checks.compose_file import preview, read
from cabestan.checks.ports import ports_of
from cabestan.checks.report import COLOURED, PLAIN, Texts, plain, report
from cabestan.checks.sarif import sarif
from cabestan.checks.stand_ins import of_env_file, of_the_platform, required
from cabestan.checks.subject import Place
from cabestan.cli.api import Api, address
from cabestan.cli.failures import EXIT_FAILED, Unable
from cabestan.cli.output import print_json
from cabestan.cli.working_copy import WorkingCopy
from cabestan.compose.asked import Asked
from cabestan.compose.findings import Waivers
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.rules import check_strict, check_waivable
from cabestan.domain.finding import Finding, has_error
from cabestan.domain.names import slug
from cabestan.errors import CabestanError

Format = Literal["text", "json", "sarif"]
_LONGEST_STACK = 32
#: more settings than a project has
_MOST = 10_000


def lint(copy: WorkingCopy, environment: str, variables: dict[str, str], waivers: Waivers, form: Format) -> None:
    """Prints the findings; ends with exit code 1 where there is an error among them."""
    place = place_offline(copy, environment, variables)
    found = check(copy.subject, [place], waivers)
    shown = [replace(finding, file=copy.prefix + finding.file) for finding in found]
    _print(shown, copy.text, form)
    if form == "text":
        _print_asked(copy, place, read(copy.subject, place, waivers, None).asked)
    if has_error(shown):
        raise typer.Exit(EXIT_FAILED)


def _print_asked(copy: WorkingCopy, place: Place, asked: Sequence[Asked]) -> None:
    """What somebody has to set on the server, whether it is there already or not: nobody was asked."""
    if not asked:
        return
    sys.stdout.write(f"\nThe server must have for {place.name}:\n")
    width = max(len(one.name) for one in asked)
    for one in asked:
        file = one.spot.file or next(iter(copy.subject.compose), "")
        where = f"{copy.prefix}{file}:{one.spot.line}"
        need = "required" if one.required else "empty where it is missing"
        words = f"{'secret' if one.secret else 'variable or secret'}, {need}{f': {one.words}' if one.words else ''}"
        sys.stdout.write(f"  {one.name:{width}}  {where}  {plain(words)}\n")


def render(copy: WorkingCopy, place: Place, waivers: Waivers) -> None:
    """Prints the stack, and on stderr what is to be said of the files; exit code 1 where they are refused."""
    found = check(copy.subject, [place], waivers)
    if found:
        print_findings([replace(finding, file=copy.prefix + finding.file) for finding in found], copy.text, sys.stderr)
    planned = plan(copy.subject)
    ports = ports_of(copy.subject, planned.blueprint, planned.texts)
    seen = read(copy.subject, place, waivers, None, ports)
    if seen.compose is None or has_error(found):
        raise typer.Exit(EXIT_FAILED)
    sys.stdout.write(preview(seen.compose, seen.place, copy.subject.project).to_yaml())


def place_offline(copy: WorkingCopy, environment: str, variables: dict[str, str]) -> Place:
    """The environment as far as the working copy and the options tell."""
    must, here = required(copy.subject), of_env_file(copy.subject)
    given = {**must, **here, **of_the_platform(copy.subject, environment), **variables}
    stand_ins = frozenset(must).difference(here, variables)
    stack = f"cabestan-0-{slug(copy.subject.project)}-{slug(environment)}"[:_LONGEST_STACK].strip("-")
    return Place(environment, given, known=variables, stand_ins=stand_ins, stack=stack)


def place_on_server(
    copy: WorkingCopy, api: Api, environment: str, variables: dict[str, str]
) -> tuple[Place, tuple[str, ...]]:
    """The environment as the server has it for this branch, and the codes that are waived.

    Secrets, and variables whose values may not be seen, stand in by their names.
    """
    at = address("projects", copy.subject.project)
    here = at + address("environments", environment)
    there = api.get(here)
    settings = api.items(here + address("variables"), _MOST, branch=copy.subject.branch)
    known = {item["name"]: item["value"] for item in settings if not item["secret"] and item["value"] is not None}
    hidden = {item["name"] for item in settings if item["name"] not in known}
    given = {
        **known,
        **{name: secret_placeholder(name) for name in hidden},
        **of_the_platform(copy.subject, environment, there["domain"]),
        **variables,
    }
    waived = tuple(item["code"] for item in api.items(at + address("waivers"), _MOST))
    compose = () if copy.named else tuple(there["compose_files"])
    offline = place_offline(copy, environment, variables)
    secrets = frozenset(hidden)
    offline = replace(offline, stand_ins=frozenset())
    return replace(offline, variables=given, known={**known, **variables}, secrets=secrets, compose=compose), waived


def waivers_of(waived: Sequence[str], strict: Sequence[str] = ()) -> Waivers:
    """What the server has on record and is set to, as the developer says it.

    Raises Unable for a rule that cannot be waived, and for a strict one of which there is no warning.
    """
    try:
        check_strict(strict)
        return Waivers({check_waivable(code).code: "waived, as you say" for code in waived}, frozenset(strict))
    except CabestanError as error:
        raise Unable(error.message, error.remedy) from error


def print_findings(findings: Sequence[Finding], texts: Texts, stream: TextIO) -> None:
    """For people; coloured where it is a terminal."""
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    stream.write(report(findings, texts, COLOURED if coloured else PLAIN))


def _print(findings: Sequence[Finding], texts: Texts, form: Format) -> None:
    match form:
        case "json":
            print_json([asdict(finding) for finding in findings])
        case "sarif":
            print_json(sarif(findings))
        case "text":
            print_findings(findings, texts, sys.stdout)
