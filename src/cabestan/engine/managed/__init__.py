"""Managed services: what a release needs of them, running them, their backups."""
