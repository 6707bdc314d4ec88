"""Words of a container that is there ahead of time: bash waits for the moment, then becomes the command itself."""

import math
from collections.abc import Sequence
from datetime import datetime

_BASH = "bash"
#: After a thousand hundredths of a second it goes on, so that a clock that is put back does not hold it for an hour. It
#: looks often in the last second only. Without variables of the container's, such as BASH_ENV (`-p`). A signal ends it
#: also where bash is process 1, which the kernel spares.
_SCRIPT = """\
trap 'exit 143' HUP INT QUIT TERM USR1 USR2 WINCH
printf -v _cabestan_now '%(%s)T' -1
if ((_cabestan_now < $1)); then
  exec {_cabestan_pipe}<> <(:)
  for ((_cabestan_past = 0; _cabestan_past < 1000 && _cabestan_now < $1; _cabestan_past += 10#$_cabestan_nap)); do
    _cabestan_nap=01
    ((_cabestan_now + 1 < $1)) && _cabestan_nap=90
    read -rt "0.$_cabestan_nap" -u "$_cabestan_pipe"
    printf -v _cabestan_now '%(%s)T' -1
  done
  exec {_cabestan_pipe}>&-
fi
shift
exec "$@"
"""


def bash_of(entrypoint: Sequence[str], command: Sequence[str]) -> str:
    """The bash that runs the command of a service by the clock, as the container calls it; empty where it is none."""
    first = command[0] if command else ""
    program = entrypoint[-1] if first == "-c" and entrypoint else first
    return program if program.rpartition("/")[2] == _BASH else ""


def held(bash: str, until: datetime) -> list[str]:
    """What stands before entrypoint and command so that they begin at a whole second: `until`, or the next one."""
    return [bash, "-p", "-c", _SCRIPT, "cabestan-hold", str(math.ceil(until.timestamp()))]
