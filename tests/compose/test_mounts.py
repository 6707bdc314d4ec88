from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compose.samples import codes, loaded, rendered, web

from cabestan.compose.findings import ComposeRefused

DECLARED = "volumes: {data: {}, v: {}}\n"


@pytest.mark.parametrize(
    ("volume", "code"),
    [
        ("/etc:/etc", "no-host-path"),
        ("/:/host:ro", "no-host-path"),
        ("/var/run/docker.sock:/var/run/docker.sock", "no-socket"),
        ("../up:/up", "no-host-path"),
        ("./a/../../up:/up", "no-host-path"),
        ("~/a:/a", "no-host-path"),
        (".:/app", "no-host-path"),
        ("./:/app", "no-host-path"),
        ("'\\\\a:/b'", "no-host-path"),
        ("./a b:/b", "bad-volume"),
        ("data/x:/x", "bad-volume"),
        ("other:/x", "volume-undeclared"),
        ("/data", "no-anonymous-volume"),
        ("data:relative", "bad-volume"),
        ("data:/", "bad-volume"),
        ("data:/a/../b", "bad-volume"),
        ("data:/a:shared", "volume-option"),
        ("data:/a:rw:x", "bad-volume"),
        ("{type: bind, source: /etc, target: /etc}", "no-host-path"),
        ("{type: bind, source: /run/docker.sock, target: /s}", "no-socket"),
        ("{type: bind, source: a/../../b, target: /b}", "no-host-path"),
        ("{type: bind, source: ./a, target: /b, bind: {propagation: shared}}", "no-propagation"),
        ("{type: npipe, source: a, target: /b}", "wrong-value"),
        ("{type: volume, target: /b}", "no-anonymous-volume"),
        ("{type: volume, source: data, target: /b, tmpfs: {size: 1}}", "bad-volume"),
        ("{type: volume, source: data, target: /b, driver: x}", "unknown-key"),
        ("{type: tmpfs, source: data, target: /b}", "bad-volume"),
        ("{source: data, target: /b}", "bad-volume"),
        ("5", "wrong-type"),
    ],
)
def test_a_mount_that_reaches_out_is_refused(volume: str, code: str) -> None:
    assert codes(web(f"volumes:\n- {volume}", DECLARED)) == [(code, 5)]


@pytest.mark.parametrize("other", ["./data:/x", "./a/b:/x"])
def test_paths_that_would_share_a_volume_or_lie_in_one_another_are_refused(other: str) -> None:
    assert codes(web(f"volumes:\n- data:/d\n- ./a:/a\n- {other}", DECLARED)) == [("volume-clash", 7)]


def test_a_path_with_an_ending_warns_that_it_is_no_file() -> None:
    found = loaded(web("volumes: [./nginx.conf:/etc/nginx.conf]"))

    assert [finding.code for finding in found.warnings] == ["path-is-volume"]


_paths = st.text(alphabet="./~\\:$ab-_ \n", max_size=20) | st.lists(
    st.sampled_from([".", "..", "a", "b", "", "~", "docker.sock"]), max_size=5
).map("/".join)


@given(_paths, st.booleans())
def test_no_path_of_the_machine_gets_past(path: str, is_long: bool) -> None:
    volume = {"type": "bind", "source": path, "target": "/x"} if is_long else f"{path}:/x"
    try:
        stack = rendered(web(f"volumes: [{json.dumps(volume)}]", DECLARED))
    except ComposeRefused:
        return
    mounts = stack.document["services"]["web"]["volumes"]
    assert [mount["type"] for mount in mounts] == ["volume"]
    assert {mount["source"] for mount in mounts} == set(stack.document["volumes"])
    assert all(
        volume["name"].startswith("cabestan-demo-hello-staging_") for volume in stack.document["volumes"].values()
    )
