"""What a Compose file may not say, each with its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.compose.samples import codes, loaded, refusal, rendered, web

from cabestan.compose import policy
from cabestan.compose.stack import Stack
from cabestan.errors import Invalid


@pytest.mark.parametrize("key", sorted(policy.SERVICE.refused))
def test_a_refused_key_of_a_service_has_its_reason_and_remedy(key: str) -> None:
    (finding,) = refusal(web(f"tty: true\n{key}: [a]"))

    assert (finding.code, finding.line, finding.column, finding.path) == (
        "no-" + key.replace("_", "-"),
        5,
        5,
        f"services.web.{key}",
    )
    assert finding.message.startswith(f"{key} is not allowed. ")
    assert finding.remedy


def test_a_finding_reads_as_one_line() -> None:
    (finding,) = refusal(web("privileged: true"))

    assert str(finding) == (
        "docker-compose.yml:4:5 services.web.privileged: privileged is not allowed. "
        "It would give the container the whole machine. Remove it; do what needs more rights while the image is built."
    )


def test_all_errors_are_told_at_once_in_the_order_of_the_file() -> None:
    text = web("privileged: true\nenviroment: {}\nvolumes: [/:/host]\nrestart: never", "include: [a.yml]\n")

    assert codes(text) == [
        ("no-privileged", 4),
        ("unknown-key", 5),
        ("no-host-path", 6),
        ("wrong-value", 7),
        ("no-include", 8),
    ]


def test_a_misspelt_key_gets_a_suggestion() -> None:
    (finding,) = refusal(web("enviroment: {}"))

    assert finding.remedy == "Did you mean environment?"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("deploy: {mode: global}", "wrong-value"),
        ("deploy: {labels: {a: b}}", "no-labels"),
        ("deploy: {replicas: -1}", "wrong-type"),
        ("deploy: {replicas: 1000}", "wrong-type"),
        ("deploy: {resources: {limits: {gpus: 1}}}", "unknown-key"),
        ("deploy: {resources: {limits: {cpus: '0,5'}}}", "wrong-type"),
        ("deploy: {placement: {constraints: [node.role == manager]}}", "placement"),
        ("deploy: {placement: {constraints: ['node.labels.a == b || true']}}", "placement"),
        ("deploy: {new: 1}", "unknown-key"),
        ("healthcheck: bash cmd", "wrong-type"),
        ("healthcheck: {test: [curl]}", "wrong-type"),
        ("healthcheck: {interval: 1d}", "wrong-value"),
        ("logging: {driver: syslog}", "wrong-value"),
        ("logging: {options: {syslog-address: 'tcp://a'}}", "unknown-key"),
        ("logging: {options: {max-size: 10g}}", "wrong-value"),
        ("user: root", "no-root"),
        ("user: '0'", "no-root"),
        ("user: '00:1'", "no-root"),
        ("user: 1001", "wrong-type"),
        ("labels: {com.docker.stack.namespace: other}", "label-reserved"),
        ("labels: {cabestan.project: other/one}", "label-reserved"),
        ("labels: [Cabestan.project=other/one]", "label-reserved"),
        ("labels: {sh.factory.cronjob.schedule: '@daily'}", "cronjob"),
        ("labels: {'a b': c}", "label-name"),
        ("environment: {A: {b: c}}", "wrong-type"),
        ("environment: {A: .nan}", "wrong-type"),
        ("environment: {'a=b': c}", "variable-name"),
        ("environment: ['=c']", "variable-name"),
        ("environment: text", "wrong-type"),
        ("environment:", "no-value"),
        ("tty: yes", "wrong-type"),
        ("expose: [70000]", "wrong-type"),
        ("expose: 80", "wrong-type"),
        ("ports: [{published: 80}]", "wrong-type"),
        ("links: ['db:a b']", "link-alias"),
        ("depends_on: [nobody]", "dependency"),
        ("extra_hosts: [host:host-gateway]", "wrong-value"),
        ("stop_grace_period: 10", "wrong-value"),
        ("networks: [nobody]", "network-undeclared"),
        ("networks: {default: {ipv4_address: 10.0.0.2}}", "no-ipv4-address"),
        ("env_file: ../web.env", "env-file-path"),
        ("env_file: missing.env", "env-file-path"),
        ("configs: [nobody]", "config-undeclared"),
        ("cpus: many", "wrong-type"),
        ("scale: 1000", "wrong-type"),
        ("command: 'a \"b'", "bad-command"),
        ("command: [a, 1]", "wrong-type"),
        ("working_dir: relative", "wrong-value"),
        ("build: ../other", "build-path"),
        ("build: {context: ., args: {'a b': c}}", "build-args"),
        ("build: {context: ., args: [buildkit_syntax=other/frontend]}", "build-args"),
        ('build: {context: ., args: {A: "a\\nb"}}', "build-args"),
        ("build: {context: ., target: -x}", "wrong-value"),
        ("build: {context: ., dockerfile_inline: FROM a}", "no-dockerfile-inline"),
        ("build: {context: ., new: a}", "unknown-key"),
        ("restart: 'on-failure:0'", "wrong-value"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(lines: str, code: str) -> None:
    assert codes(web(lines)) == [(code, 4)]


def test_a_host_without_an_address_is_told_how_to_write_one() -> None:
    (finding,) = refusal(web("extra_hosts: legacy"))

    assert (finding.code, finding.remedy) == ("wrong-type", 'Write extra_hosts: ["NAME:ADDRESS"].')


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-compose"),
        ("- a", "not-compose"),
        ("a: b", "no-services"),
        ("services: []", "no-services"),
        ("services: {}", "no-services"),
        ("version: '1'\nservices: {web: {image: a}}", "version"),
        ("services: {web: {tty: true}}", "no-image"),
        ("services: {web: text}", "wrong-type"),
        ("services: {Web: {image: a}}", "service-name"),
        ("services: {a.b: {image: a}}", "service-name"),
        ("services: {web: {image: 'a b'}}", "wrong-value"),
        ("services: {web: {image: -a}}", "wrong-value"),
        ("services: {web: {image: a}}\nvolumes: {v: {driver_opts: {}}}", "no-driver-opts"),
        ("services: {web: {image: a}}\nvolumes: {v: {external: true}}", "no-external"),
        ("services: {web: {image: a}}\nvolumes: {v: {driver: nfs}}", "no-driver"),
        ("services: {web: {image: a}}\nnetworks: {n: {external: true}}", "no-external"),
        ("services: {web: {image: a}}\nnetworks: {n: {driver: macvlan}}", "wrong-value"),
        ("services: {web: {image: a}}\nnetworks: {'a b': {}}", "network-name"),
        ("services: {web: {image: a}}\nconfigs: {c: {external: true}}", "no-external"),
        ("services: {web: {image: a}}\nconfigs: {c: {file: missing}}", "file-missing"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, code: str) -> None:
    assert code in [finding.code for finding in refusal(text)]


def test_deprecated_keys_work_in_a_safe_sense_and_warn() -> None:
    text = web("ports: ['127.0.0.1:8080:80']\nlinks: [db]", "  db: {image: a}\n")

    found = loaded(text)

    assert [finding.code for finding in found.warnings] == ["ports-deprecated", "links-deprecated"]
    assert [item.service for item in found.compose.services[0].depends_on] == ["db"]


def test_keys_that_change_nothing_of_importance_are_left_out_with_a_warning() -> None:
    lines = (
        "platform: linux/amd64\npull_policy: always\ndevelop: {watch: []}\nulimits: {nofile: 1}\n"
        "deploy: {endpoint_mode: vip, update_config: {parallelism: 2}}\nhealthcheck: {test: a, start_interval: 1s}"
    )
    found = loaded(web(lines, "name: shop\nvolumes: {data: {name: other, driver: local}}\n"))

    assert [(one.code, one.line) for one in found.warnings] == [
        ("left-out", line) for line in (4, 5, 6, 7, 8, 8, 9, 10, 11)
    ]
    assert all(one.remedy for one in found.warnings)


def test_limits_replicas_memory_and_restarts_of_old_are_those_of_deploy() -> None:
    old = "cpus: 0.5\nmem_limit: 200m\nmem_reservation: 1g\nscale: 3\nshm_size: 64m\n"
    old += "deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}"
    new = (
        "deploy:\n  replicas: 3\n  resources: {limits: {cpus: '0.5', memory: 200m}, reservations: {memory: 1g}}\n"
        "tmpfs: ['/dev/shm:size=64m']\nrestart: 'on-failure:3'"
    )
    assert loaded(web(old)).warnings == ()
    assert rendered(web(old)).document == rendered(web(new)).document


def test_a_service_with_a_profile_is_not_deployed() -> None:
    found = loaded(web("tty: true", "  tools: {image: a, profiles: [debug]}\n"))
    assert [service.name for service in found.compose.services] == ["web"]
    assert [(one.code, one.line) for one in found.warnings] == [("profile", 5)]


def test_extension_blocks_are_for_anchors_and_are_left_alone() -> None:
    assert loaded("x-any: [$, '${']\n" + web("x-more: {privileged: true}"))


def _forbidden(stack: Stack) -> list[str]:
    """What must never be in a rendered stack."""
    wrong = []
    for service in stack.document["services"].values():
        wrong += sorted(set(service) & {"ports", "privileged", "cap_add", "devices", "network_mode", "pid", "ipc"})
        wrong += [mount["type"] for mount in service.get("volumes", []) if mount["type"] not in ("volume", "tmpfs")]
        wrong += [mount["source"] for mount in service.get("volumes", []) if "/" in mount.get("source", "")]
        wrong += [one for one in service["networks"] if one != "default" and one not in stack.document["networks"]]
    return wrong


_keys = st.sampled_from(
    sorted(policy.SERVICE.allowed | set(policy.SERVICE.refused) | {"x-a", "Privileged", "privileged ", "<<"})
)
_texts = st.sampled_from(
    [
        "/:/h",
        "./a:/b",
        "../a:/b",
        "/var/run/docker.sock:/s",
        "80:80",
        "host",
        "true",
        "a",
        "~:/a",
        "$X",
        "${X:-/:/b}",
    ]
) | st.text(max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "source", "target", "bind", "a", "mode"]) | _keys, inner, max_size=4)
    ),
    max_leaves=6,
)


@given(st.dictionaries(_keys, _values, max_size=4), _texts)
@example({"cap_add": None, "profiles": [None]}, "a")
def test_nothing_dangerous_gets_past(keys: dict[str, object], variable: str) -> None:
    text = web("".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in keys.items()))
    try:
        stack = rendered(text, {"X": variable})
    except Invalid:
        return
    assert _forbidden(stack) == []
    # one with a profile is not deployed, and what it asks for not looked at
    assert "web" not in stack.all_services or not set(keys) & set(policy.SERVICE.refused)
