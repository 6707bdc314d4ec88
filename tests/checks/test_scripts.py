"""Scripts that nothing could start because of their line ends."""

from __future__ import annotations

import pytest
from tests.checks.samples import COMPOSE, DOCKERFILE, FILES, found, told

WINDOWS = "#!/bin/sh\r\nexec serve\r\n"
UNIX = WINDOWS.replace("\r", "")


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": f'{DOCKERFILE}COPY docker /home/app\nENTRYPOINT ["/home/app/start.sh"]\n'},
        {"Dockerfile": f"{DOCKERFILE}COPY docker /home/app\nRUN chmod +x start.sh && ./start.sh --now\n"},
        {"docker-compose.yml": f"{COMPOSE}    command: ./start.sh\n"},
        {"docker-compose.yml": f"{COMPOSE}    entrypoint: [sh, -c, 'exec /home/app/start.sh']\n"},
    ],
)
def test_a_script_with_the_line_ends_of_windows_is_named_with_the_remedy(files: dict[str, str]) -> None:
    (finding,) = (f for f in found(FILES | files | {"docker/start.sh": WINDOWS}) if f.code[:2] not in ("DL", "SC"))
    assert (finding.code, finding.severity, finding.file) == ("script-line-ends", "warning", "docker/start.sh")
    assert "sed -i 's/\\r$//' docker/start.sh" in finding.remedy
    assert told(found(FILES | files | {"docker/start.sh": UNIX})) == []


def test_what_is_started_nowhere_or_is_no_script_may_have_any_line_ends() -> None:
    files = FILES | {"start.bat": "@echo\r\n", "other.sh": WINDOWS, "Dockerfile": f"{DOCKERFILE}CMD start.bat\n"}
    assert told(found(files)) == []
