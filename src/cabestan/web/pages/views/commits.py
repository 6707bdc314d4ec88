"""A commit as the pages show it."""

from dataclasses import dataclass

_SHORT = 8


@dataclass(frozen=True)
class CommitView:
    """`short` is what is read, `full` what is copied and searched."""

    short: str
    full: str
    title: str
    branch: str = ""


def commit_view(commit: str, title: str, branch: str = "") -> CommitView:
    return CommitView(commit[:_SHORT], commit, title or "(no message)", branch)
