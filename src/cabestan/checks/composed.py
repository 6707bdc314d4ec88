"""The Compose file as one place has it: the same for a working copy, for a commit, and for what is deployed.

Whoever asks gathers what is known of the place; here nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cabestan.checks.managed import with_managed
from cabestan.checks.mounted_paths import check_paths, names_paths, without_guesses
from cabestan.checks.subject import Place
from cabestan.compose.asked import Asked
from cabestan.compose.commit_files import Read
from cabestan.compose.findings import NOTHING_WAIVED, ComposeRefused, Finding, Report, Waivers
from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.compose.managed import refuse_aliases, refuse_without_image, without_managed
from cabestan.compose.model import ComposeFile
from cabestan.domain.managed import Kind
from cabestan.domain.tree import Tree


@dataclass(frozen=True, slots=True)
class Files:
    """The Compose files of a place, in the order in which they are joined, and what else they may name."""

    sources: tuple[SourceFile, ...]
    read: Read
    #: of the commit, asked for where volumes have to be compared with it; None where it does not matter
    tree: Callable[[], Tree | None]


@dataclass(frozen=True, slots=True)
class Composed:
    """`compose` is what is left for the stack of `whole`, which is all that the files say: the platform serves `kinds`.

    `place` has the variables and secrets of those too.
    """

    place: Place
    sources: tuple[SourceFile, ...]
    kinds: tuple[Kind, ...]
    whole: ComposeFile
    compose: ComposeFile
    warnings: tuple[Finding, ...]
    #: files of the commit that a volume would hide: errors, which hinder nobody from looking further
    hidden: tuple[Finding, ...]
    asked: tuple[Asked, ...]

    def refuse_if_wrong(self) -> None:
        """Raises ComposeRefused where it must not be deployed."""
        if self.hidden:
            raise ComposeRefused(self.hidden)


def composed(
    place: Place,
    project: str,
    files: Files,
    waivers: Waivers = NOTHING_WAIVED,
    lacking: Mapping[Kind, str] = MappingProxyType({}),
) -> Composed:
    """`lacking` are the kinds that this installation has no image for, and the settings that would name one.

    Raises ComposeRefused with all that is wrong in the files, and Invalid for a variable that imitates a placeholder.
    """
    place, kinds = with_managed(place, project, files.sources)
    loaded = load_files(files.sources, place.variables, read=files.read, waivers=waivers)
    for kind in kinds:
        if kind in lacking:
            refuse_without_image(loaded.compose, kind, lacking[kind])
    refuse_aliases(loaded.compose, kinds)
    compose = without_managed(loaded.compose, kinds)
    hidden = _hidden(compose, files)
    warnings = without_guesses(loaded.warnings, hidden)
    return Composed(place, files.sources, kinds, loaded.compose, compose, warnings, hidden, loaded.asked)


def _hidden(compose: ComposeFile, files: Files) -> tuple[Finding, ...]:
    tree = files.tree() if names_paths(compose) else None
    if tree is None:
        return ()
    report = Report(compose.file)
    check_paths(report, compose, tree)
    return report.findings
