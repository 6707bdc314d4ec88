"""Fuzzed Dockerfiles through the reading of the pipeline."""

import random
from pathlib import Path

from cabestan.checks.check import plan
from cabestan.checks.subject import Subject as Commit
from cabestan.domain.tree import Tree
from cabestan.errors import CabestanError
from cabestan.pipeline.dockerfile import parse_dockerfile
from cabestan.pipeline.image_names import named_images
from cabestan.pipeline.instructions import instructions
from cabestan.pipeline.refused import DockerfileRefused, refuse
from cabestan.pipeline.writing import written
from campaigns.fuzzing import Seen, Subject
from campaigns.texts import mutated

_REGISTRY, _OWN = "127.0.0.1:5600", "127.0.0.1:5600/shop/api"
_SECONDS = 5
_ROOT = Path(__file__).parent.parent
_MORE = (
    "# syntax=docker/dockerfile:1\n# escape=`\nARG BASE=debian:12\nFROM --platform=linux/amd64 ${BASE} AS a\n"
    'RUN --mount=type=bind,from=a,target=/x \\\n'
    '  # a comment\n  echo "a" && echo b\nFROM scratch\nCOPY --from=a /x /y\n',
    "FROM debian:12\nRUN <<EOF\nFROM 127.0.0.1:5600/other/app\nEOF\nRUN <<-A cat <<B\nx\nA\n\ty\nB\nUSER 1001\n",
    "# shop/api\n# VERSION 0.2\nFROM debian\nONBUILD COPY --from=127.0.0.1:5600/x/y / /\nADD http://127.0.0.1/ /\n",
    'FROM "127.0.0.1:5600/other/app:0.2"\nFROM 12""7.0.0.1:5600/a\nFROM 12\\7.0.0.1:5600/b\nEXPOSE 80 $PORT 1-3/udp\n',
    "ARG A=${B:-${C}} B\nFROM a${A:+x}\nHEALTHCHECK --interval=5s CMD [\"a\", \"b\"]\nSHELL [\"x\"]\nCMD [\"a\n",
)  # fmt: skip
#: good ones, to begin with
SEEDS = (*(file.read_text() for file in sorted(_ROOT.glob("examples/*/Dockerfile*"))), *_MORE)


def make(rng: random.Random) -> str:
    return mutated(rng, SEEDS)


def examine(text: str) -> Seen:
    try:
        read(text)
    except DockerfileRefused as refused:
        return Seen(False, _wanting(refused))
    except CabestanError as error:
        return Seen(False, "" if error.remedy else f"a refusal without remedy: {error}")
    return Seen(True)


def read(text: str) -> None:
    """All that the pipeline does with a Dockerfile before anything runs. Raises CabestanError where it is refused."""
    parsed = parse_dockerfile(text)
    refuse("Dockerfile", text, _REGISTRY, _OWN, lambda reference: reference)
    lines = text.count("\n") + 1
    for instruction in instructions(text):
        if not 1 <= instruction.line <= lines:
            raise AssertionError(f"an instruction at line {instruction.line} of {lines}")
    named = {image.written for image in named_images(text)}
    if not named.issuperset(parsed.bases):
        raise AssertionError(f"bases that nobody looks at: {set(parsed.bases) - named}")
    if _meaning(written(text, {})) != _meaning(text):
        raise AssertionError("what the builder gets reads in another way than what was checked")
    commit = Commit("shop/api", "0" * 40, "main", _REGISTRY, Tree(frozenset({"Dockerfile"})), lambda _: text)
    planned = plan(commit)
    for finding in planned.findings:
        raise DockerfileRefused(finding.code, finding.message, finding.remedy, finding.file, finding.line)


def _meaning(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.word, one.rest, one.documents) for one in instructions(text)]


def _wanting(refused: DockerfileRefused) -> str:
    if not refused.remedy:
        return f"a refusal without remedy: {refused}"
    return "" if refused.line or refused.code == "build-plan" else f"a refusal without line: {refused}"


SUBJECT = Subject("dockerfile", make, examine, _SECONDS)
