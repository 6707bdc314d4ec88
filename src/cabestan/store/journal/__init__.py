"""What applications say, by environment: lines in one order, each once, bounded, compressed, searched by RE2."""

from cabestan.store.journal.journals import Journals
from cabestan.store.journal.query import Query, fields_of
from cabestan.store.journal.reader import Found, JournalReader
from cabestan.store.journal.writer import JournalWriter, Taken

__all__ = ["Found", "JournalReader", "JournalWriter", "Journals", "Query", "Taken", "fields_of"]
