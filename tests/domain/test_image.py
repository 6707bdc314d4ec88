import pytest

from cabestan.domain.image import is_root


@pytest.mark.parametrize(
    "user", ["", "root", "0", "00", "+0", "-0", "0:0", "root:root", "0:1001", "root:", ":1001", " 0"]
)
def test_root_in_all_its_forms_is_root(user: str) -> None:
    assert is_root(user)


@pytest.mark.parametrize("user", ["1001", "app", "1001:0", "app:root", "rooted", "0x1", "10"])
def test_others_are_not(user: str) -> None:
    assert not is_root(user)
