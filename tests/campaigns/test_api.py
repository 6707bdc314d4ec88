"""How schemathesis is asked."""

from pathlib import Path

from campaigns.api import Asker, cases, command, configuration


def test_the_token_goes_by_the_environment() -> None:
    asker = Asker("reader", "canary-token", ("x",))
    words = command(Path("c.toml"), "http://127.0.0.1:1", 3, 20)
    assert "canary-token" not in " ".join(words) + configuration(asker)
    assert words[words.index("--seed") + 1] == "3"
    assert words[words.index("--max-time") + 1] == "20"


def test_cases_are_counted_by_the_last_words() -> None:
    assert cases("  Test cases:\n    12,345 generated, 3 found\n") == 12_345
    assert cases("an error") == 0
