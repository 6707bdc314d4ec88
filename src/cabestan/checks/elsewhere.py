"""What a commit only points to: submodules, and files in Git LFS. A build would find empty folders and small texts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote

from cabestan.checks.contexts import Context, seen
from cabestan.checks.subject import Subject
from cabestan.domain.finding import Finding
from cabestan.domain.large_files import kept_elsewhere
from cabestan.errors import CabestanError

_MODULES = ".gitmodules"
_ATTRIBUTES = ".gitattributes"
_PATH = re.compile(r"\s*path\s*=\s*\"?(.*?)/?\"?\s*")
_MOST_POINTERS = 20
_MOST_ATTRIBUTES = 20


def check_elsewhere(subject: Subject, contexts: Sequence[Context]) -> Iterator[Finding]:
    """Errors for what a build would see, and a warning for what the next commit may have."""
    yield from _submodules(subject, contexts)
    pointers = sorted(path for path in subject.pointers() if seen(contexts, path))
    yield from map(_pointer, pointers[:_MOST_POINTERS])
    if not pointers:
        yield from _attributes(subject)


def _submodules(subject: Subject, contexts: Sequence[Context]) -> Iterator[Finding]:
    lines = _lines(_text(subject, _MODULES)) if subject.tree.submodules else {}
    for path in sorted(subject.tree.submodules):
        if seen(contexts, path):
            file, line = (_MODULES, lines[path]) if path in lines else (path, 1)
            name = quote(path)
            message = (
                f"{path} is a submodule: its files are no part of the commit, and the build finds an empty folder."
            )
            remedy = (
                f"Commit the files themselves: git rm --cached {name}; rm -rf {name}/.git; git add {name}. "
                f"Where no image needs them, name {path} in .dockerignore."
            )
            yield Finding("submodule", "error", file, line, 1, "", message, remedy)


def _lines(modules: str) -> dict[str, int]:
    """Path of each submodule to the line that names it."""
    numbered = enumerate(modules.splitlines(), 1)
    return {match[1]: number for number, line in numbered if (match := _PATH.fullmatch(line))}


def _pointer(path: str) -> Finding:
    message = f"{path} is kept in Git LFS: the commit has a pointer in its place, and the build would find that."
    name = quote(path)
    remedy = (
        f"Commit the file itself: git lfs untrack {name}; git add --renormalize {name}. "
        "Or fetch it while the image is built, and name it in .dockerignore."
    )
    return Finding("lfs-pointer", "error", path, 1, 1, "", message, remedy)


def _attributes(subject: Subject) -> Iterable[Finding]:
    files = sorted(path for path in subject.tree.plain if posixpath.basename(path) == _ATTRIBUTES)
    for file in files[:_MOST_ATTRIBUTES]:
        for line, pattern in kept_elsewhere(_text(subject, file)):
            message = f"Files that match {pattern[:80]} are handed over to Git LFS, which this server does not have."
            remedy = f"Take the line out: git lfs untrack {quote(pattern[:80])}."
            yield Finding("lfs-filter", "warning", file, line, 1, "", message, remedy)


def _text(subject: Subject, path: str) -> str:
    """Empty where it cannot be read: Git would not know it either."""
    try:
        return subject.further(path) or ""
    except CabestanError:
        return ""
