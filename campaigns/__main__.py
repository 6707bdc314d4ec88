"""`bin/campaign`: one campaign, that stops by itself. Exit code 1 where something was found; what shows it is kept."""

import argparse
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from campaigns import api, compose_files, dockerfiles, kills
from campaigns.fuzzing import Subject, fuzz
from campaigns.outcome import Outcome

_INTERRUPTED = 130


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, _interrupt)
    folder = given.keep or Path(tempfile.mkdtemp(prefix=f"campaign-{given.name}-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{given.name}: seed {given.seed}, findings are kept in {folder}", flush=True)
    try:
        outcome = _CAMPAIGNS[given.name](given, folder)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return _INTERRUPTED
    print(f"{given.name}: seed {given.seed}: {outcome.summary}", flush=True)
    for finding in outcome.findings:
        print(f"  FOUND {finding}")
    if outcome.findings:
        print(f"Again: bin/campaign {' '.join(sys.argv[1:])}{'' if '--seed' in sys.argv else f' --seed {given.seed}'}")
        return 1
    if not any(folder.iterdir()):
        folder.rmdir()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("campaign", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    for name, words, count in (
        ("compose", "fuzzed Compose files through checks, reading and rendering", 500_000),
        ("dockerfile", "fuzzed Dockerfiles through the reading of the pipeline", 500_000),
        ("kills", "pushes, deployments and runs on a platform of its own, its server killed again and again", 200),
    ):
        one = names.add_parser(name, help=words)
        one.add_argument("--count", type=int, default=count, help=f"how many ({count:,})")
    names.add_parser("api", help="schemathesis against a platform of its own").add_argument(
        "--minutes", type=float, default=10, help="how long it asks (10)"
    )
    for one in names.choices.values():
        one.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="the same gives the same")
        one.add_argument("--keep", type=Path, metavar="FOLDER", help="where what is found is kept")
    names.choices["compose"].add_argument("--only", type=int, metavar="N", help="the file with this number alone")
    names.choices["dockerfile"].add_argument("--only", type=int, metavar="N", help="the file with this number alone")
    return parser.parse_args()


def _fuzzed(subject: Subject) -> Callable[[argparse.Namespace, Path], Outcome]:
    def run(given: argparse.Namespace, folder: Path) -> Outcome:
        numbers = range(given.count) if given.only is None else range(given.only, given.only + 1)
        return fuzz(subject, given.seed, numbers, folder)

    return run


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


_CAMPAIGNS: dict[str, Callable[[argparse.Namespace, Path], Outcome]] = {
    "compose": _fuzzed(compose_files.SUBJECT),
    "dockerfile": _fuzzed(dockerfiles.SUBJECT),
    "kills": lambda given, folder: kills.run(given.seed, given.count, folder, f"camp{os.getpid() % 100_000}"),
    "api": lambda given, folder: api.run(given.seed, given.minutes, folder, f"camp{os.getpid() % 100_000}"),
}


if __name__ == "__main__":
    sys.exit(main())
