"""Storage elsewhere, through rclone."""

import pytest

from cabestan.adapters.rclone import Remote
from cabestan.errors import StepFailed


@pytest.mark.parametrize("option", ["pass=canary-word", 'pass="canary-word"', "secret_access_key=canary-word"])
def test_what_rclone_repeats_of_a_password_is_masked(option: str) -> None:
    with pytest.raises(StepFailed) as refused:
        Remote(f":nowhere,{option},host=h:/backups", 30).remove("file")
    assert ("canary-word" in refused.value.message, "[secret]" in refused.value.message) == (False, True)
