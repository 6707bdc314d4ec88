"""What is killed, and when, follows from the seed; what was built is counted from its log."""

from campaigns.kills import counted, files, rounds, steps_of

from cabestan.testing import STEPS


def test_the_same_seed_kills_at_the_same_moments_and_steps() -> None:
    assert rounds(7, 30) == rounds(7, 30)
    assert rounds(7, 30) != rounds(8, 30)
    assert rounds(7, 30)[:10] == rounds(7, 10)


def test_rounds_begin_with_a_push_and_come_to_every_kind() -> None:
    played = rounds(1, 200)
    assert played[0].action == "push"
    assert {one.action for one in played} == {"push", "deploy", "run"}
    at_steps = {(one.action, one.kill.boundary.rpartition(":")[0]) for one in played if one.kill.boundary}
    assert all(step in steps_of(action) and step in STEPS for action, step in at_steps)
    assert len(at_steps) > 20
    assert any(not one.kill.boundary for one in played)


def test_each_round_builds_anew() -> None:
    assert files(1, 1)["Dockerfile"] != files(1, 2)["Dockerfile"]


def test_lines_of_a_build_are_counted_from_its_log() -> None:
    assert counted("#5 0.1 counting 1\n#5 0.2 counting 2\nRUN echo counting 9\n#5 counting x\n") == [1, 2]
