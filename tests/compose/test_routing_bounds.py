"""What a request may take of the router, which all projects share."""

from __future__ import annotations

import pytest
from tests.compose.samples import codes, loaded, web

MIB = 1024**2
GIB = 1024**3
REPLACEMENTS = ("x" * 500, "x" * 501)
BCRYPT = tuple(f"bob:$$2y$${cost}$${'a' * 53}" for cost in (14, 15))
#: option of Traefik 3, the most, what is too much
OPTIONS = [
    ("buffering.memRequestBodyBytes", MIB, MIB + 1),
    ("buffering.memResponseBodyBytes", MIB, 10**15 - 1),
    ("buffering.maxRequestBodyBytes", 10 * GIB, 10 * GIB + 1),
    ("buffering.maxResponseBodyBytes", 10 * GIB, 10**15 - 1),
    ("compress.minResponseBodyBytes", MIB, MIB + 1),
    ("retry.attempts", 100, 101),
    ("redirectregex.replacement", *REPLACEMENTS),
    ("replacepathregex.replacement", *REPLACEMENTS),
    ("basicauth.users", *BCRYPT),
]
#: the same of Traefik 1
LABELS = [
    *((f"backend.{option}", most, more) for option, most, more in OPTIONS[:4]),
    ("frontend.redirect.replacement", *REPLACEMENTS),
    ("frontend.auth.basic.users", *BCRYPT),
]


def labelled(*labels: str) -> str:
    """A service with these labels, of which the first stands in line 6."""
    return web("\n".join(("expose: [80]", "labels:", *(f"  traefik.{label}" for label in labels))))


def of_traefik_3(option: str, value: object) -> str:
    kind = option.partition(".")[0]
    pattern = [f"http.middlewares.m.{kind}.regex: '^(.*)$$'"] if "replacement" in option else []
    routed = ("http.routers.r.rule: Host(`a.example.org`)", "http.routers.r.middlewares: m")
    return labelled(f"http.middlewares.m.{option}: '{value}'", *routed, *pattern)


def of_traefik_1(label: str, value: object) -> str:
    pattern = ["frontend.redirect.regex: '^(.*)$$'"] if "replacement" in label else []
    return labelled(f"{label}: '{value}'", "frontend.rule: 'Host:a.example.org'", *pattern)


@pytest.mark.parametrize(("option", "most", "more"), OPTIONS)
def test_a_project_takes_only_so_much_of_the_router(option: str, most: object, more: object) -> None:
    assert loaded(of_traefik_3(option, most)).compose.services
    assert codes(of_traefik_3(option, more)) == [("route", 6)]


@pytest.mark.parametrize(("label", "most", "more"), LABELS)
def test_nor_more_by_labels_of_traefik_1(label: str, most: object, more: object) -> None:
    assert loaded(of_traefik_1(label, most)).compose.services
    assert codes(of_traefik_1(label, more)) == [("route", 6)]


@pytest.mark.parametrize(("replacement", "refused"), [("x" * 500, []), ("x" * 501, [("route", 6)])])
def test_nor_more_by_a_rule_of_traefik_1(replacement: str, refused: list[tuple[str, int]]) -> None:
    text = labelled(f"frontend.rule: 'Host:a.example.org;ReplacePathRegex:^(.*)$$ {replacement}'")
    if refused:
        assert codes(text) == refused
    else:
        assert loaded(text).compose.services
