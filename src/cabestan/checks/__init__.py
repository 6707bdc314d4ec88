"""What is checked before anything runs, the same for a commit and for a working copy.

`check` brings together the Compose file, as each environment has it, what is to be built, and the Dockerfiles.
It needs no server; the one outside program is hadolint.
"""
