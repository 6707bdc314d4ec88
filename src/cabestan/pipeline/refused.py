"""What a Dockerfile must not say: told with file and line, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable

from cabestan.domain.image import in_registry
from cabestan.errors import Invalid
from cabestan.pipeline.image_names import named_images, split_flags
from cabestan.pipeline.instructions import FLAGS, Instruction, instructions, split_word

_FRONTEND = re.compile(r"""\s*(?:(?:\#|//)\s*syntax\s*=|\{?\s*"syntax"\s*:)\s*"?([^\s"]+)""", re.IGNORECASE)
_OFFICIAL = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@][\w.:-]+)*", re.ASCII)
#: nobody writes them, and not every reader of Dockerfiles takes them for the same
_ODD = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!$)")
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
#: a reference to an image as https://github.com/distribution/reference has it, an IPv6 address left out
_REFERENCE = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{{1,5}})?/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?",
    re.ASCII,
)
#: what follows FROM and its flags; variables may stand in the name
_FROM = re.compile(r"""[!#-&(-\[\]-~]+(?:\s+as\s+[a-z][a-z0-9_.-]*)?""", re.IGNORECASE | re.ASCII)
_PLAIN_FLAG = re.compile(r"""--[a-z-]+(?:=[^\s"'\\`]*)?""", re.ASCII)
#: the builder's own network is not a Dockerfile's
_NEVER = frozenset({("RUN", "network", "host")})
_PLAINLY = "Write it plainly, on one line, without quotes and backslashes around it, or in a script that is copied."


class DockerfileRefused(Invalid):
    """`code` is that of the rule, `what` the message without the place; `line` may be 0: unknown."""

    def __init__(self, code: str, what: str, remedy: str, file: str, line: int) -> None:
        self.code, self.what, self.file, self.line = code, what, file, line
        super().__init__(f"{f'{file}:{line}' if line else file}: {what}", remedy)


def refuse(file: str, text: str, registry: str, own: str, fill: Callable[[str], str]) -> None:
    """Raises DockerfileRefused. `registry` is the platform's, `own` the project's place in it.

    `fill` fills in the variables of a reference. What passes can be read in one way only.
    """
    _refuse_odd_characters(file, text)
    _refuse_frontend(file, text)
    for instruction in instructions(text):
        _refuse_unclear(file, instruction)
    for image in named_images(text):
        filled = fill(image.written)
        if "$" in filled:
            what = f"What {image.written} stands for cannot be told before it is built."
            remedy = "Use ${NAME} or ${NAME:-default}, with an ARG before the first FROM."
            raise DockerfileRefused("image-name-unclear", what, remedy, file, image.line)
        if not _REFERENCE.fullmatch(filled):
            what = f"{filled[:100] or image.written} is no image's name."
            remedy = "Write NAME:TAG, with lower-case letters and without quotes and backslashes."
            raise DockerfileRefused("image-name-unclear", what, remedy, file, image.line)
        if in_registry(filled, registry) and not is_below(filled, own):
            what = f"{filled} is not this project's own image."
            remedy = "Build on images of this repository, of the platform's catalogue, or of a registry elsewhere."
            raise DockerfileRefused("image-of-others", what, remedy, file, image.line)


def is_below(image: str, own: str) -> bool:
    """Whether it is the project's image, or one whose name begins with it: `OWN`, `OWN/name:tag`, `OWN@sha256:…`."""
    return image.startswith(own) and image[len(own) : len(own) + 1] in ("", "/", ":", "@")


def _refuse_unclear(file: str, instruction: Instruction) -> None:
    """What BuildKit might read in another way than we do, or would not take."""
    word, rest = instruction.word, instruction.rest
    what = instruction.unclear or _unknown(word)
    while not what and word == "ONBUILD":
        word, rest = split_word(rest)
        what = _unknown(word)
    if not what and word == "FROM" and not _FROM.fullmatch(split_flags(rest)[1]):
        what = "FROM names one image, with or without AS NAME."
    what = what or next(
        (f"What {flag[:60]} means here is not known." for flag in split_flags(rest)[0] if not _is_known(word, flag)), ""
    )
    if what:
        raise DockerfileRefused("dockerfile-unclear", what, _PLAINLY, file, instruction.line)


def _unknown(word: str) -> str:
    return "" if word in FLAGS else f"{word or 'This line'} is no instruction of a Dockerfile."


def _is_known(word: str, flag: str) -> bool:
    name, _, value = flag.removeprefix("--").partition("=")
    return name in FLAGS[word] and bool(_PLAIN_FLAG.fullmatch(flag)) and (word, name, value) not in _NEVER


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
