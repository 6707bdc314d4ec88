"""Answers of the engine's API, as Docker 20.10 gives them, cut down to what is looked at and what might mislead."""

from __future__ import annotations

from typing import Any

NAMESPACE = {"com.docker.stack.namespace": "cabestan-1-shop-api-staging"}
STACK = NAMESPACE["com.docker.stack.namespace"]
NEW, OLD = f"127.0.0.1:5600/shop/api@sha256:{'2' * 64}", f"127.0.0.1:5600/shop/api@sha256:{'1' * 64}"


def container(image: str = NEW, **changes: Any) -> dict[str, Any]:
    return {
        "Image": image,
        "Labels": {"cabestan.service": "web"} | NAMESPACE,
        "Env": ["COMMIT=1"],
        "Privileges": {"CredentialSpec": None, "SELinuxContext": None},
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5000000000, "Retries": 3},
        "Isolation": "default",
    } | changes


def template(image: str = NEW, *, restart: str = "any", **changes: Any) -> dict[str, Any]:
    """As a service has it."""
    return {
        "ContainerSpec": container(image),
        "Resources": {},
        "RestartPolicy": {"Condition": restart, "MaxAttempts": 0},
        "Placement": {},
        "Networks": [{"Target": "hxl3ibi3r54jotjmbteccdeja", "Aliases": ["web"]}],
        "LogDriver": {"Name": "json-file", "Options": {"max-file": "3"}},
        "ForceUpdate": 0,
        "Runtime": "container",
    } | changes


def service(
    name: str = "web", mode: dict[str, Any] | None = None, update: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    answer = {
        "ID": f"id-{name}",
        "Spec": {
            "Name": f"{STACK}_{name}",
            "Labels": {"cabestan.service": name} | NAMESPACE,
            "TaskTemplate": template(**changes),
            "Mode": mode or {"Replicated": {"Replicas": 2}},
            "EndpointSpec": {"Mode": "dnsrr"},
        },
        "Endpoint": {"Spec": {}},
    }
    return answer | ({"UpdateStatus": update} if update else {})


def task(
    number: int, state: str = "running", wanted: str = "running", image: str = NEW, *, of: str = "web", **status: Any
) -> dict[str, Any]:
    """The higher `number`, the later it was made. A task's template lacks what is empty, and its networks differ."""
    spec = template(image, Networks=[{"Target": "hxl3ibi3r54jotjmbteccdeja", "DriverOpts": None}])
    del spec["Resources"], spec["Runtime"], spec["ContainerSpec"]["Privileges"]
    return {
        "ID": f"task-{number}",
        "CreatedAt": f"2024-05-06T07:08:{number:02}.193192257Z",
        "UpdatedAt": f"2024-05-06T07:09:{number:02}.309799961Z",
        "Spec": spec,
        "ServiceID": f"id-{of}",
        "Slot": number,
        "NodeID": "h0dusw2xoxicrmgklh4va2exq",
        "Status": {"Timestamp": f"2024-05-06T07:09:{number:02}.2513541Z", "State": state, "Message": state} | status,
        "DesiredState": wanted,
    }
