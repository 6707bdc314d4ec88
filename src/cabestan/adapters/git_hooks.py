"""The hooks that all repositories share. Git runs them beside the server, which may be gone by then."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

#: half a second each
TRIES = 20
#: branches and tags that one push may move: each branch sets off a pipeline
MOST_REFS = 500
#: what the hook before a push reads: who pushes what, and the patterns of the branches that are not theirs to move
_GUARD = "CABESTAN_HOOK_GUARD"
_PRE_RECEIVE = '''#!{python} -IS
"""Refuses a push that moves too much, or what is not the pusher's to move: all of it, before anything is stored."""
import fnmatch, json, os, sys
guard = json.loads(os.environ["{guard}"])  # where there is none, nothing is allowed
lines = sys.stdin.buffer.read().decode(errors="surrogateescape").split("\\n")
refs = [line.split(" ", 2)[2] for line in lines if line]
if len(refs) > {most}:
    print(f"This push moves {{len(refs)}} branches and tags; at most {most} are taken at once.")
    print("Nothing of this push was stored. Push them in several parts.")
    sys.exit(1)
branches = [ref[11:] for ref in refs if ref.startswith("refs/heads/")]
# refs/replace would show commits as others than they are
foreign = [ref for ref in refs if not ref.startswith(("refs/heads/", "refs/tags/")) or ref == "refs/heads/HEAD"]
refused = [name for name in branches if any(fnmatch.fnmatchcase(name, pattern) for pattern in guard["patterns"])]
for name in refused:
    print(f"{{ascii(name)[1:-1]}} is a protected branch of {{guard['project']}}: only maintainers may push to it.")
for ref in foreign:
    print(f"{{ascii(ref)[1:-1]}} is not taken: push branches and tags only, and call none of them HEAD.")
if refused:
    print(f"You are {{guard['user']}} here. Push to another branch: git push origin HEAD:my-change")
    print("Or have a maintainer push, or change what is protected: cabestan project protect")
if refused or foreign:
    print("Nothing of this push was stored.")
    sys.exit(1)
'''
_POST_RECEIVE = '''#!{python} -IS
"""Tells Cabestan of a push, and the person who pushed of the pipeline. What is not told now is found at its start."""
import json, os, sys, time, urllib.request
sys.stdin.buffer.read()
request = urllib.request.Request(os.environ["CABESTAN_HOOK_URL"], method="POST",
    data=json.dumps({{"by": os.environ["CABESTAN_HOOK_USER"]}}).encode(),
    headers={{"Content-Type": "application/json", "X-Cabestan-Hook": os.environ["CABESTAN_HOOK_TOKEN"]}})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
for patience in range({tries}):
    try:
        print(opener.open(request, timeout=20).read().decode(), end="")
        break
    except OSError:
        # a server that is just starting may have looked at the refs before this push moved them
        time.sleep(0.5)
else:
    print("The push is stored. Cabestan does not answer just now: the pipeline starts as soon as it does.")
'''


def write_hooks(folder: Path) -> None:
    """For this Python. Each at once: half of one would let everything pass. What is there stays, as on a full disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in (("pre-receive", _PRE_RECEIVE), ("post-receive", _POST_RECEIVE)):
        text = script.format(python=sys.executable, tries=TRIES, most=MOST_REFS, guard=_GUARD)
        if (folder / name).exists() and (folder / name).read_text() == text:
            continue
        part = folder / f".{name}"
        part.write_text(text)
        part.chmod(0o755)
        os.replace(part, folder / name)


def guard_variables(project: str, user: str, patterns: Iterable[str]) -> dict[str, str]:
    """For the hook before a push: the branches that this user must not push to, none for a maintainer."""
    return {_GUARD: json.dumps({"project": project, "user": user, "patterns": list(patterns)})}
