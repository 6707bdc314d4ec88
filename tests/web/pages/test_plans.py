from tests.web.pages.samples import plan, step_run

from cabestan.domain.deployment import StepKind
from cabestan.web.pages.plans import ShownStep, short_digests, sign, steps


def test_steps_are_shown_as_planned_and_as_they_went() -> None:
    pulled, applied = step_run(StepKind.PULL), step_run(StepKind.APPLY, "failed", "no such image")
    assert steps(plan(), (pulled, applied), ended=False) == (
        ShownStep("pull demo/hello", "succeeded", "at most 15 min", pulled),
        ShownStep("apply demo/hello", "failed", "at most 3 min", applied),
        ShownStep("Watch until healthy: web, worker", "to do", "at most 5 min"),
        ShownStep("Check through the router: production-hello-demo.localhost/", "to do", "at most 30 s"),
    )


def test_steps_that_were_never_reached_say_so_and_putting_back_is_shown() -> None:
    runs = (step_run(StepKind.PULL), step_run(StepKind.PUT_BACK))
    shown = steps(plan(), runs, ended=True)
    assert [step.status for step in shown] == ["succeeded", "not done", "not done", "not done", "succeeded"]


def test_digests_are_shortened_for_reading() -> None:
    text = f"Pull a@sha256:{'ab' * 32}, b@sha256:{'cd' * 32}"
    assert short_digests(text) == "Pull a@sha256:abababababab, b@sha256:cdcdcdcdcdcd"


def test_changes_have_a_sign_beside_their_words() -> None:
    assert [sign(change) for change in plan().changes] == [("~", "busy"), ("+", "good"), ("-", "bad"), ("~", "busy")]
