"""What a Dockerfile must not say: told with file and line, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Callable

from cabestan.domain.image import in_registry
from cabestan.errors import Invalid
from cabestan.pipeline.image_names import named_images, split_flags
from cabestan.pipeline.instructions import FLAGS, Instruction, instructions, split_word

_FRONTEND = re.compile(r"""\s*(?:(?:\#|//)\s*syntax\s*=|\{?\s*"syntax"\s*:)\s*"?([^\s"]+)""", re.IGNORECASE)
_OFFICIAL = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?", re.ASCII)
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
#: BuildKit tells flags apart by their bytes, and takes some of those of other characters for spaces
_PLAIN_FLAG = re.compile(r"""--[a-z-]+(?:=[!#-&(-\[\]-_a-~]*)?""")
#: the builder's own network is not a Dockerfile's
_NEVER = frozenset({"--network=host"})
#: bytes of a line: more, BuildKit's reader does not take
_LONGEST_LINE = 65_000


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
    what, remedy = instruction.unclear, instruction.remedy
    if not what:
        what, remedy = _unknown(instruction.word, instruction.rest)
    if not what:
        what, remedy = _too_long(instruction)
    if what:
        raise DockerfileRefused("dockerfile-unclear", what, remedy, file, instruction.line)


def _unknown(word: str, rest: str) -> tuple[str, str]:
    """What is not known of an instruction, and the remedy; both empty where all is."""
    while word == "ONBUILD":
        word, rest = split_word(rest)
    if word not in FLAGS:
        return f"{word or 'This line'} is no instruction of a Dockerfile.", f"Write one of {', '.join(sorted(FLAGS))}."
    flags, arguments = split_flags(rest)
    if word == "FROM" and not _FROM.fullmatch(arguments):
        return "FROM names one image, with or without AS NAME.", "Write FROM IMAGE, or FROM IMAGE AS NAME."
    return next((found for flag in flags if (found := _of_flag(word, flag))), ("", ""))


def _of_flag(word: str, flag: str) -> tuple[str, str] | None:
    """None for one that is known."""
    known = ", ".join(f"--{name}" for name in sorted(FLAGS[word]))
    if flag.removeprefix("--").partition("=")[0] not in FLAGS[word]:
        remedy = f"Leave it out: {word} takes {known}." if known else f"Leave it out: {word} takes no flags."
        return f"{word} with {flag[:60]} is not supported.", remedy
    if flag in _NEVER:
        return f"{word} {flag} is not allowed: that network is the builder's own.", "Leave the flag out."
    if not _PLAIN_FLAG.fullmatch(flag):
        return (
            f"What {flag[:60]} means is not certain.",
            "Write the flag in plain letters, without quotes and backslashes.",
        )
    return None


def _too_long(instruction: Instruction) -> tuple[str, str]:
    lines = (
        f"{instruction.word} {instruction.rest}",
        *(line for text in instruction.documents for line in text.split("\n")),
    )
    if max(len(line.encode("utf-8", "surrogatepass")) for line in lines) <= _LONGEST_LINE:
        return "", ""
    what = f"Its lines are more than {_LONGEST_LINE:,} bytes together, which the builder does not read."
    return what, "Move what it does into a script that is copied."


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
