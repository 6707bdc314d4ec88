"""Users and the hashes of their passwords for basic authentication, as `htpasswd` writes them."""

from __future__ import annotations

import re

_USER = re.compile(r"[^\s:,]{1,100}")
_HASHES = (
    #: apr1, the default of htpasswd and of `openssl passwd -apr1`
    re.compile(r"\$apr1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}"),
    #: bcrypt, `htpasswd -B`; each step of its cost doubles the time, which the router spends on every wrong password
    re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-4])\$[./0-9A-Za-z]{53}"),
    #: SHA-1, `htpasswd -s`
    re.compile(r"\{SHA\}[+/0-9A-Za-z]{27}="),
)


def check_users(text: str) -> str:
    """`user:hash,user:hash`, without the spaces around; raises ValueError for a hash that is not one of the three."""
    users = [user.strip() for user in text.split(",") if user.strip()]
    for user in users:
        name, colon, digest = user.partition(":")
        if not colon or not _USER.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is no user with a password's hash, such as bob:$$apr1$$…")
        if not any(form.fullmatch(digest) for form in _HASHES):
            raise ValueError(
                f"the password of {name[:40]} is no hash of apr1, bcrypt (of a cost up to 14) or SHA-1 "
                "(in the file, each $ is doubled)"
            )
    return ",".join(users)
