"""Files of the commit that services get: what `read` gives of them, within bounds.

Where a path ends with `/`, `read` gives the paths of the files below that folder, one a line. A release keeps all that
its Compose files may come to ask for, so that nothing is read later.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.nodes import Field, Scalar, Table, services_of
from cabestan.domain.tree import LinkRefused, Tree
from cabestan.errors import Invalid

#: gives the text of a file by its path in the repository, None where there is none
Read = Callable[[str], str | None]
#: files of one folder; more belong into an image
MOST_FILES = 32
#: bytes of one of them, and of all that a release keeps
MOST_BYTES = 128 * 1024
MOST_BYTES_TOGETHER = 512 * 1024
#: they hold a folder's place in Git, which takes no empty one
PLACEHOLDERS = frozenset({".gitignore", ".gitkeep", ".keep", ".placeholder"})
#: no path of the commit ends so: there stands why a link is not followed
_LINK = "//link"


def path_within(folder: str, path: str) -> str | None:
    """The path as seen from the repository's root; None where it leaves it, or is no plain relative path."""
    if not path or path.startswith(("/", "~", "-")) or any(mark in path for mark in ":\\$\0"):
        return None
    joined = posixpath.normpath(posixpath.join(folder, path))
    return None if joined in (".", "..") or joined.startswith("../") else joined


def listing(tree: Tree, folder: str) -> str | None:
    """What `read` gives of a folder, which ends with `/`; at most one file more than services get."""
    found = tree.below(folder)
    if all(posixpath.basename(path) in PLACEHOLDERS for path in found):
        return None
    return "\n".join(found[: MOST_FILES + 1])


def files_below(read: Read, folder: str) -> tuple[str, ...] | None:
    """Their paths; None where the commit has no such folder."""
    found = read(f"{folder}/")
    return tuple(found.split("\n")) if found else None


def refused_link(read: Read, path: str) -> str | None:
    """Why a link at this path, or on the way to it, is not followed; None where there is none such."""
    return read(f"{path}{_LINK}")


def named_files(root: Field, folders: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Paths that a file asks for, as seen from each folder, and whether a folder's own files are wanted as well."""
    places = tuple(dict.fromkeys(folders))
    for path, whole in _named(root):
        for folder in places:
            if (found := path_within(folder, path)) is not None:
                yield found, whole


def _named(root: Field) -> Iterator[tuple[str, bool]]:
    for kind in ("configs", "secrets"):
        for _, declared in named.entries() if (named := root.get(kind)) else ():
            yield from ((text, True) for text in _texts(declared.get("file")))
    for _, service in services_of(root):
        env_file = service.get("env_file")
        for item in (*(env_file.items() if env_file else ()), env_file):
            yield from ((text, True) for text in _texts(item.get("path") if item and item.get("path") else item))
        context = build_context(service)
        for volume in volumes.items() if (volumes := service.get("volumes")) else ():
            source = volume.get("source") if isinstance(volume.node, Table) else volume
            paths = (text.partition(":")[0] for text in _texts(source))
            yield from ((path, not is_source(context, posixpath.normpath(path))) for path in paths)


def build_context(service: Field) -> str | None:
    """What a service is built from; None where it is not built."""
    build = service.get("build")
    if build is None:
        return None
    context = build if isinstance(build.node, Scalar) else build.get("context")
    return posixpath.normpath((context.text if context is not None else "") or ".")


def is_source(context: str | None, path: str) -> bool:
    """Whether a service is built from what is mounted."""
    return context is not None and (context in (".", path) or path.startswith(f"{context}/"))


def _texts(field: Field | None) -> Iterator[str]:
    if field is not None and isinstance(field.value, str):
        yield field.value


class Kept:
    """Collects what a release keeps of such files. Raises ComposeRefused where it grows too large."""

    def __init__(self, read: Read, texts: dict[str, str]) -> None:
        self._read = read
        self._texts = texts
        self._left = MOST_BYTES_TOGETHER

    def keep(self, path: str, *, whole: bool) -> None:
        """A file, or a folder's listing, with its files where they are wanted."""
        if path in self._texts or f"{path}/" in self._texts:
            return
        if self._file(path):
            return
        below = self._read(f"{path}/")
        if not below:
            return
        self._texts[f"{path}/"] = below
        names = below.split("\n")
        if whole and len(names) <= MOST_FILES:
            for name in names:
                self._file(name)

    def _file(self, path: str) -> bool:
        """Whether there is one. What is no text, or too large, is told by being its own folder: it cannot be given."""
        try:
            text = self._read(path)
        except LinkRefused as error:
            self._texts[f"{path}{_LINK}"] = error.message
            text, unfit = None, True
        except Invalid:
            text, unfit = None, True
        else:
            unfit = text is not None and (len(text.encode(errors="replace")) > MOST_BYTES or "\0" in text)
        if unfit:
            self._texts[f"{path}/"] = path
            return True
        if text is None:
            return False
        self._left -= len(text.encode(errors="replace"))
        if self._left < 0:
            message = f"The files that services get of the commit have more than {MOST_BYTES_TOGETHER} bytes."
            raise ComposeRefused([Finding("too-large", "error", path, 1, 1, "", message, "Put them into an image.")])
        self._texts[path] = text
        return True
