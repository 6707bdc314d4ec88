import pytest
from tests.engine.world import World

from cabestan.engine.guard import guarded


def test_a_workflow_that_breaks_ends_its_work_with_a_reason_that_shows_no_secret(world: World) -> None:
    sealed = world.services.vault.seal("canary-value-1234", "here")
    reasons: dict[int, str] = {}

    def work(_key: int) -> None:
        value = world.services.vault.open(sealed, "here")
        raise RuntimeError(f"cannot connect to db/{value}")

    guarded(world.services, work, reasons.__setitem__)(7)
    assert reasons == {
        7: "Something went wrong in Cabestan itself (RuntimeError: cannot connect to db/[secret]). Retry it."
    }


def test_errors_of_a_server_that_closes_are_left_to_the_next_start(world: World) -> None:
    def work() -> None:
        raise RuntimeError("torn down")

    world.services.durable.closing = True
    with pytest.raises(RuntimeError, match="torn down"):
        guarded(world.services, work, lambda *_: pytest.fail("ended"))()
