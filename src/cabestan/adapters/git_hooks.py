"""The hooks that all repositories share. Git runs them beside the server, which may be gone by then."""

import os
import sys
from pathlib import Path

#: half a second each
TRIES = 20
#: branches and tags that one push may move: each branch sets off a pipeline
MOST_REFS = 500
#: where the guard is imported from: our own source alone, and nothing that is installed
_SOURCE = str(Path(__file__).resolve().parents[2])
_PRE_RECEIVE = '''#!{python} -IS
"""Refuses a push that brings too much, or what is not the pusher's to move: all of it, before anything is stored."""
import sys
sys.path.insert(0, {source!r})
from cabestan.adapters.push_guard import main
main()
'''
_POST_RECEIVE = '''#!{python} -IS
"""Tells Cabestan of a push, which tells its author what comes of it. What is not told now is found at its start."""
import json, os, sys, time, urllib.request
sys.stdin.buffer.read()
request = urllib.request.Request(os.environ["CABESTAN_HOOK_URL"], method="POST",
    data=json.dumps({{"by": os.environ["CABESTAN_HOOK_USER"]}}).encode(),
    headers={{"Content-Type": "application/json", "X-Cabestan-Hook": os.environ["CABESTAN_HOOK_TOKEN"]}})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
for patience in range({tries}):
    try:
        opener.open(request, timeout=20).close()
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
        text = script.format(python=sys.executable, tries=TRIES, source=_SOURCE)
        if (folder / name).exists() and (folder / name).read_text() == text:
            continue
        part = folder / f".{name}"
        part.write_text(text)
        part.chmod(0o755)
        os.replace(part, folder / name)
