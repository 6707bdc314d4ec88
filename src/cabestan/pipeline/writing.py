"""The Dockerfile that a builder gets: written anew from what was read, so that nothing else can be meant by it."""

from __future__ import annotations

from collections.abc import Mapping

from cabestan.pipeline.image_names import renamed
from cabestan.pipeline.instructions import ESCAPES, escape_of

#: where RUN finds further certificate authorities, and the variables by which programs are told
_AUTHORITIES = "/run/cabestan/authorities.crt"
_ASKED_BY = (
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)
_MOUNT = f"--mount=type=secret,id=cabestan-authorities,target={_AUTHORITIES},mode=0444"


def written(text: str, names: Mapping[str, str], *, authorities: bool = False) -> str:
    """The instructions of a Dockerfile that `refuse` has let pass, one a line, without comments and directives.

    `names` has what stands in the place of each image. With `authorities`, what RUN starts trusts those of the secret
    `cabestan-authorities`, and the image keeps nothing of it.
    """
    escape = escape_of(text)
    lines = [] if escape == ESCAPES[0] else [f"# escape={escape}"]
    for instruction, rest in renamed(text, names):
        if authorities and instruction.word == "RUN":
            rest = f"{_MOUNT} {rest}"
        lines.append(f"{instruction.word} {rest}".rstrip())
        lines += instruction.documents
        if authorities and instruction.word == "FROM":
            lines += [f"ARG {name}={_AUTHORITIES}" for name in _ASKED_BY]
    return "".join(f"{line}\n" for line in lines)
