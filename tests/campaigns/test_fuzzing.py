"""Campaigns give the same for the same seed, find what is there to be found, and make it small."""

import random
from pathlib import Path

import pytest
from campaigns.fuzzing import Seen, Subject, examined, fuzz, made, shrunk

from campaigns import compose_files, dockerfiles

SUBJECTS = pytest.mark.parametrize("subject", [compose_files.SUBJECT, dockerfiles.SUBJECT], ids=lambda s: s.name)


def _of(examine: object) -> Subject:
    return Subject("t", lambda rng: f"a\nb {rng.choice('xy')} c\nd", examine, 0.2)  # type: ignore[arg-type]


@SUBJECTS
def test_a_seed_and_a_number_always_give_the_same_text(subject: Subject) -> None:
    texts = [made(subject, 3, number) for number in range(40)]
    assert texts == [made(subject, 3, number) for number in range(40)]
    assert len(set(texts)) > 30
    assert texts != [made(subject, 4, number) for number in range(40)]


@SUBJECTS
def test_some_texts_are_taken_some_are_refused_and_none_breaks_anything(subject: Subject) -> None:
    seen = [examined(subject, made(subject, 1, number)) for number in range(60)]
    assert [one.problem for one in seen if one.problem] == []
    assert {one.taken for one in seen} == {True, False}


def test_good_files_are_taken() -> None:
    assert [seed for seed in dockerfiles.SEEDS[:-5] if not dockerfiles.examine(seed).taken] == []
    assert sum(compose_files.examine(seed).taken for seed in compose_files.SEEDS) >= 5


def test_what_is_rendered_is_shown_to_dockers_own_reader() -> None:
    assert compose_files.of_docker("version: '3.8'\nservices: {web: {image: i}}\n") == ""
    assert compose_files.of_docker("services: 3\n").startswith("Docker refuses what was rendered: ")


def test_a_crash_is_kept_as_small_as_it_goes_and_can_be_made_again(tmp_path: Path) -> None:
    def examine(text: str) -> Seen:
        if "x" in text:
            raise IndexError("out")
        return Seen(True)

    outcome = fuzz(_of(examine), 5, range(20), tmp_path)
    (finding,) = outcome.findings
    kept = sorted(tmp_path.glob("*.txt"))
    assert finding.startswith("crash IndexError at test_fuzzing.py:")
    assert {path.read_text() for path in kept} == {"x"}
    assert "IndexError: out" in kept[0].with_suffix(".why").read_text()
    number = int(kept[0].stem.rpartition("-")[2])
    assert fuzz(_of(examine), 5, range(number, number + 1), tmp_path).findings


def test_what_takes_too_long_is_found(tmp_path: Path) -> None:
    def examine(_text: str) -> Seen:
        while True:
            pass

    assert examined(_of(examine), "a").problem.startswith("hang: ")


def test_problems_of_one_kind_are_told_once(tmp_path: Path) -> None:
    outcome = fuzz(_of(lambda text: Seen(False, f"no line: {text}")), 5, range(20), tmp_path)
    assert [finding.partition(": ")[0] for finding in outcome.findings] == ["no line"]
    assert len(list(tmp_path.glob("*.txt"))) == 3


def test_a_text_is_made_small_by_lines_and_then_by_characters() -> None:
    text = "\n".join("abcdefgh" for _ in range(50)) + "\nneedle and 7\n" + "z" * 50
    assert shrunk(text, lambda fewer: "ee" in fewer and "7" in fewer) == "ee7"


def test_a_random_text_is_bounded() -> None:
    rng = random.Random(1)
    assert max(len(dockerfiles.make(rng)) for _ in range(300)) <= 200_000
