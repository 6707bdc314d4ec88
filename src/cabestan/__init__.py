"""Cabestan: from `git push` to production on a team's own machines."""

__version__ = "0.1.0"
