"""Asks each HOST:PORT among its arguments and tells which answer; runs in builds, with Python alone."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def answers(place: str) -> bool:
    host, _, port = place.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 3) as connection:
            connection.settimeout(3)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False


if __name__ == "__main__":
    with ThreadPoolExecutor(40) as pool:
        for place, said in zip(sys.argv[1:], pool.map(answers, sys.argv[1:]), strict=True):
            print("answer" if said else "silence", place)
