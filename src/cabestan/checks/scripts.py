"""Scripts with the line ends of Windows, which nothing starts: "no such file or directory", although they are there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from shlex import quote

from cabestan.checks.subject import Subject
from cabestan.compose.model import ComposeFile, Service
from cabestan.domain.finding import Finding
from cabestan.errors import CabestanError
from cabestan.pipeline.instructions import instructions

_STARTING = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD"})
_WORD = re.compile(r"[\w./-]+", re.ASCII)
_MOST_FILES = 100


def check_scripts(
    subject: Subject, dockerfiles: Mapping[str, str], composed: Iterable[ComposeFile]
) -> Iterator[Finding]:
    """Warnings, for the files of the commit whose names stand where something is started."""
    names = {posixpath.basename(word) for text in _lines(dockerfiles, composed) for word in _WORD.findall(text)}
    named = (path for path in sorted(subject.tree.plain) if posixpath.basename(path) in names)
    for path in islice(named, _MOST_FILES):
        text = _text(subject, path)
        first, _, rest = text.partition("\n")
        if first.endswith("\r") and rest and (path.endswith(".sh") or text.startswith("#!")):
            message = f"{path} has the line ends of Windows, so that its interpreter is not found where it is started."
            words = f"sed -i 's/\\r$//' {quote(path)}"
            remedy = f"Give it those of Unix: {words}, and write *.sh text eol=lf into .gitattributes."
            yield Finding("script-line-ends", "warning", path, 1, 1, "", message, remedy)


def _lines(dockerfiles: Mapping[str, str], composed: Iterable[ComposeFile]) -> Iterator[str]:
    for text in dockerfiles.values():
        yield from (one.rest for one in instructions(text) if one.word in _STARTING)
    for compose in composed:
        for service in compose.services:
            yield from _words(service)


def _words(service: Service) -> Iterator[str]:
    yield from (*service.entrypoint, *service.command)
    yield from service.healthcheck.test if service.healthcheck else ()


def _text(subject: Subject, path: str) -> str:
    """Empty where it is no text, or too long: no script is."""
    try:
        return subject.read(path)
    except CabestanError:
        return ""
