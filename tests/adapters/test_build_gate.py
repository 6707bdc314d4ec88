from cabestan.adapters.build_gate import GateSpec, config


def test_the_gate_hands_on_to_two_addresses_of_the_machine_and_may_do_nothing_else() -> None:
    made = config(GateSpec("cabestan", "sha256:1", "127.0.0.1:8600", "127.0.0.1:5600"))
    assert made["Entrypoint"] == [
        "/bin/bash",
        "-c",
        "socat -t 30 UNIX-LISTEN:/run/gate/server.sock,fork,unlink-early TCP:127.0.0.1:8600"
        " & socat -t 30 UNIX-LISTEN:/run/gate/registry.sock,fork,unlink-early TCP:127.0.0.1:5600 & wait -n",
    ]
    host = made["HostConfig"]
    assert (host["NetworkMode"], host["Binds"]) == ("host", ["cabestan-gate:/run/gate"])
    assert (host["CapDrop"], host["ReadonlyRootfs"], host["RestartPolicy"]) == (["ALL"], True, {"Name": "always"})


def test_a_gate_for_other_addresses_is_another_one() -> None:
    first, second = (config(GateSpec("cabestan", "sha256:1", f"127.0.0.1:{port}", "x:1")) for port in (8600, 8601))
    assert first["Labels"].keys() == second["Labels"].keys()
    assert first["Labels"]["cabestan.settings"] != second["Labels"]["cabestan.settings"]
