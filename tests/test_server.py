import pytest
import structlog

from cabestan.server import set_up_logging


def test_a_traceback_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")

    def fail(secret: str) -> None:
        raise RuntimeError(len(secret))

    try:
        fail("canary")
    except RuntimeError as error:
        structlog.get_logger().error("it broke", path="/x", exc_info=error)
    written = capsys.readouterr().out
    assert "canary" not in written.replace('fail("canary")', "")
    assert "RuntimeError: 6" in written
    assert "path=/x" in written


def test_less_is_said_where_less_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("error")
    structlog.get_logger().warning("not this")
    set_up_logging("info")
    assert capsys.readouterr().out == ""
