"""The journals in one folder, a folder each, by the numbers of their environments."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cabestan.store.journal.packing import thinned_records
from cabestan.store.journal.reader import JournalReader
from cabestan.store.journal.records import Head, heads, meta_of
from cabestan.store.journal.segments import Segment, SegmentFile, segments_in
from cabestan.store.journal.writer import JournalWriter

#: thinned so often at once at most: what is still too large then waits for the next time
_AT_ONCE = 64


class Journals:
    """Makes writers and readers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reader(self, environment_id: int) -> JournalReader:
        return JournalReader(self._of(environment_id))

    def writer(self, environment_id: int) -> JournalWriter:
        """Its one writer."""
        return JournalWriter(self._of(environment_id))

    def present(self) -> tuple[int, ...]:
        if not self._folder.exists():
            return ()
        return tuple(sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal()))

    def delete(self, environment_id: int) -> None:
        shutil.rmtree(self._of(environment_id), ignore_errors=True)

    def bound(self, environment_id: int, most: int, oldest: int) -> None:
        """Takes away what was said before `oldest` (ns), then what is more than `most` bytes.

        Of whoever says the most, the oldest goes first, so that a flood takes away its own lines and not another's.
        """
        packed = [segment for segment in segments_in(self._of(environment_id)) if segment.packed]
        for segment in packed:
            if _summary(segment).newest < oldest:
                segment.path.unlink()
        for _ in range(_AT_ONCE):
            if self.reader(environment_id).size() <= most or not self._thin(environment_id):
                return

    def _thin(self, environment_id: int) -> bool:
        """Whether something went."""
        packed = [segment for segment in segments_in(self._of(environment_id)) if segment.packed]
        said = {segment: _bytes_of(segment) for segment in packed}
        total: Counter[str] = sum(said.values(), Counter())
        if not total:
            return False
        loudest = total.most_common(1)[0][0]
        segment = next(segment for segment, of in said.items() if of[loudest])
        if set(+said[segment]) == {loudest}:
            segment.path.unlink()
        else:
            _rewrite(segment, thinned_records(SegmentFile(segment).read, SegmentFile(segment).heads(), {loudest}))
        return True

    def _of(self, environment_id: int) -> Path:
        return self._folder / str(environment_id)


def _summary(segment: Segment) -> Head:
    """With which each packed one begins."""
    return next(heads(SegmentFile(segment).read))


def _bytes_of(segment: Segment) -> Counter[str]:
    """By service; what the platform says of one counts as its own."""
    file, found = SegmentFile(segment), Counter[str]()
    meta = meta_of(file.read, next(heads(file.read)))
    for number, source in meta.sources.items():
        found[source.service] += meta.sizes[number]
    return found


def _rewrite(segment: Segment, records: Iterable[bytes]) -> None:
    part = segment.path.with_suffix(".part")
    with part.open("wb") as file:
        file.writelines(records)
    part.rename(segment.path)
