from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.engine_client import read_stack, stack_config

from cabestan.compose.interpolate import InterpolationRefused, expand, interpolate

VARIABLES = {"X": "xx", "E": "", "Y": "yy"}

_SAME_AS_DOCKER_WORDS = """
$X ${X} ${X:-d} ${X-d} ${E:-d} ${E-d} ${U:-d} ${U-d} ${E?m} ${X:?m} ${X?m} $$ $$X $${X} $$$X a$Xb ${X}b
${U:-} ${U:-a}b} ${U:-{a}} $U ${U} $x $_a ${U:-a:-b} ${U:-a:?b} } ${X}} ${U:-a?b} ${U-a+b} k-%s ${X-}
${U-} ${U-a=b} ${X}${Y} $X$Y ${U:-/a/b} plain
"""
SAME_AS_DOCKER = [
    *_SAME_AS_DOCKER_WORDS.split(),
    *("${U:-a b}", "${U:-a\nb}", "é ${U:-é} $X", ""),
]
_REFUSED_WORDS = "${U:?m} ${U?m} ${E:?m} ${ ${} ${X $ a$ $1 ${1} ${X!} $É ${:-a} ${X:a} ${X:} $- ${-}"
BEYOND_DOCKER = [
    ("${X:+a}", "a"),
    ("${X+a}", "a"),
    ("${E:+a}", ""),
    ("${E+a}", "a"),
    ("${U:+a}", ""),
    ("${U+a}", ""),
    ("${U:-${X}}", "xx"),
    ("${U:-$X}", "xx"),
    ("${U:-${E:-z}}", "z"),
    ("${U:-a${V-b${W:-c}}}d", "abcd"),
    ("${X:+${Y}!}", "yy!"),
    ("${X:-${U:?m}}", "xx"),
    ("${U:-$$X}", "$X"),
    ("${U-a:-b}", "a:-b"),
    ("${X:?$$}", "xx"),
    ("$${X:?}", "${X:?}"),
    ("a-$X-$Y", "a-xx-yy"),
    ("$U:-d", ":-d"),
]


def test_docker_and_cabestan_fill_in_the_same(tmp_path: Path) -> None:
    path = tmp_path / "stack.yml"
    environment = {f"V{index}": form for index, form in enumerate(SAME_AS_DOCKER)}
    services = {"web": {"image": "x", "environment": environment}}
    path.write_text(yaml.safe_dump({"version": "3.8", "services": services}))

    theirs = read_stack(path, VARIABLES)["services"]["web"]["environment"]

    by_form = {form: theirs[f"V{index}"] for index, form in enumerate(SAME_AS_DOCKER)}
    assert {form: interpolate(form, VARIABLES) for form in SAME_AS_DOCKER} == by_form


def test_docker_and_cabestan_refuse_the_same(tmp_path: Path) -> None:
    for form in _REFUSED_WORDS.split():
        path = tmp_path / "stack.yml"
        services = {"web": {"image": "x", "environment": {"V": form}}}
        path.write_text(yaml.safe_dump({"version": "3.8", "services": services}))
        assert stack_config(path, VARIABLES).returncode != 0, form
        with pytest.raises(InterpolationRefused):
            interpolate(form, VARIABLES)


@pytest.mark.parametrize(("form", "expected"), BEYOND_DOCKER)
def test_the_other_forms_of_the_specification_work(form: str, expected: str) -> None:
    assert interpolate(form, VARIABLES) == expected


@pytest.mark.parametrize(
    ("form", "message", "offset"),
    [
        ("a ${X", "'${X' at character 3 is no variable.", 2),
        ("ab$", "'$' at character 3 is no variable.", 2),
        ("${U:?set ${Y}}", "The variable U is required: set yy.", 0),
        ("x${U?}", "The variable U is required.", 1),
        ("${X:-${}", "'${}' at character 6 is no variable.", 5),
        ("${U?a-b}", "The variable U is required: a-b.", 0),
    ],
)
def test_an_error_tells_the_place(form: str, message: str, offset: int) -> None:
    with pytest.raises(InterpolationRefused) as refused:
        interpolate(form, VARIABLES)

    assert (refused.value.message, refused.value.offset) == (message, offset)


def test_unset_variables_are_told_once_and_only_where_they_are_used() -> None:
    assert expand("$U ${U} ${V:-d} ${X:-$W} ${Z+$W}", VARIABLES).unset == ("U",)


@pytest.mark.parametrize("form", ["${U:-" * 50 + "}" * 50, "${U:-" * 100_000, "$X" * 60_000])
def test_growth_is_bounded(form: str) -> None:
    with pytest.raises(InterpolationRefused):
        interpolate(form, VARIABLES)


@given(st.text(alphabet="${}XEU:-?+_a1 é\n", max_size=60), st.dictionaries(st.sampled_from("XEU"), st.text()))
def test_any_text_is_filled_in_or_refused(text: str, variables: dict[str, str]) -> None:
    with suppress(InterpolationRefused):
        interpolate(text, variables)


@given(st.text())
def test_doubled_dollars_give_the_text_back(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}) == text
