"""What a Dockerfile must not say: told with file and line, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product

from cabestan.domain.image import in_registry
from cabestan.errors import Invalid
from cabestan.pipeline.image_names import Named, named_images
from cabestan.pipeline.instructions import ESCAPES

_FRONTEND = re.compile(r"""\s*(?:(?:\#|//)\s*syntax\s*=|\{?\s*"syntax"\s*:)\s*"?([^\s"]+)""", re.IGNORECASE)
_ESCAPE = re.compile(r"#\s*escape\s*=", re.IGNORECASE)
_OFFICIAL = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@][\w.:-]+)*", re.ASCII)
#: nobody writes them, and not every reader of Dockerfiles takes them for the same
_ODD = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!$)")


class DockerfileRefused(Invalid):
    """`code` is that of the rule, `what` the message without the place; `line` may be 0: unknown."""

    def __init__(self, code: str, what: str, remedy: str, file: str, line: int) -> None:
        self.code, self.what, self.file, self.line = code, what, file, line
        super().__init__(f"{f'{file}:{line}' if line else file}: {what}", remedy)


def refuse(file: str, text: str, registry: str, own: str, fill: Callable[[str], str]) -> None:
    """Raises DockerfileRefused. `registry` is the platform's, `own` the project's place in it.

    `fill` fills in the variables of a reference.
    """
    _refuse_odd_characters(file, text)
    _refuse_frontend(file, text)
    for image in _as_anybody_reads_it(text):
        filled = fill(image.written)
        if "$" in filled:
            what = f"What {image.written} stands for cannot be told before it is built."
            remedy = "Use ${NAME} or ${NAME:-default}, with an ARG before the first FROM."
            raise DockerfileRefused("image-name-unclear", what, remedy, file, image.line)
        if in_registry(filled, registry) and not is_below(filled, own):
            what = f"{filled} is not this project's own image."
            remedy = "Build on images of this repository, of the platform's catalogue, or of a registry elsewhere."
            raise DockerfileRefused("image-of-others", what, remedy, file, image.line)


def is_below(image: str, own: str) -> bool:
    """Whether it is the project's image, or one whose name begins with it: `OWN`, `OWN/name:tag`, `OWN@sha256:…`."""
    return image.startswith(own) and image[len(own) : len(own) + 1] in ("", "/", ":", "@")


def _as_anybody_reads_it(text: str) -> Iterator[Named]:
    """Engines that do not know here-documents take their lines for instructions; which directives count differs too."""
    escapes = ESCAPES if _ESCAPE.search(text) else ESCAPES[:1]
    for here_documents, escape in product((True, False), escapes):
        yield from named_images(text, here_documents=here_documents, escape=escape)


def _refuse_frontend(file: str, text: str) -> None:
    """Another one than Docker's may do with other projects' images, which the engine has at hand, what it likes."""
    for number, line in enumerate(text.split("\n"), 1):
        match = _FRONTEND.match(line)
        if match and not _OFFICIAL.fullmatch(match[1]):
            what = f"{match[1]} is not Docker's own frontend."
            remedy = "Leave the line out, or write # syntax=docker/dockerfile:1."
            raise DockerfileRefused("dockerfile-frontend", what, remedy, file, number)


def _refuse_odd_characters(file: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if match := _ODD.search(line):
            what = f"There is a character U+{ord(match[0]):04X}."
            raise DockerfileRefused("bad-character", what, "Remove the character.", file, number)
