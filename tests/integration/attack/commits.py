"""Commits made of bytes: no filter, attribute or line-end rule of the author's own Git gets to see them."""

import subprocess
from collections.abc import Mapping

from tests.integration.harness import Pushed, Work


def push_bytes(
    work: Work, files: Mapping[str, bytes], links: Mapping[str, str] | None = None, *, branch: str = "main"
) -> Pushed:
    """A commit of exactly these files and symbolic links, pushed to the branch."""
    work.git("read-tree", "--empty")
    for path, content in files.items():
        work.git("update-index", "--add", "--cacheinfo", f"100644,{_kept(work, content)},{path}")
    for path, target in (links or {}).items():
        work.git("update-index", "--add", "--cacheinfo", f"120000,{_kept(work, target.encode())},{path}")
    work.git("commit", "--quiet", "--allow-empty", "--message", "A change")
    return work.push_head(branch=branch)


def _kept(work: Work, content: bytes) -> str:
    """The id of the object."""
    command = ["git", "-C", str(work.folder), "hash-object", "-w", "--stdin", "--no-filters"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().strip()
