"""A real server on 127.0.0.1 that does what a test tells it to."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Speak = Callable[[socket.socket], None]


@dataclass
class Site:
    """Answers by path: bytes to be sent, or a function that speaks to the socket itself."""

    url: str = ""
    answers: dict[str, bytes | Speak] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0

    def says(self, path: str, status: str = "200 OK", body: bytes = b"", **headers: str) -> str:
        """Set the answer of a path; return its URL."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers[path] = "\r\n".join([*lines, "", ""]).encode() + body
        return self.url + path

    def speaks(self, path: str, speak: Speak) -> str:
        """Let a function speak; the connection ends with it. Return the URL."""
        self.answers[path] = speak
        return self.url + path


class Handler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined] # set by the fixture
        site.connections += 1
        while line := self.rfile.readline(8_192):
            path = line.split()[1].decode()
            headers = {}
            while (field_ := self.rfile.readline(8_192)) not in (b"\r\n", b""):
                name, _, value = field_.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            site.asked.append((path, headers))
            answer = site.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if callable(answer):
                answer(self.connection)
                return
            self.connection.sendall(answer)


class LocalServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


@contextmanager
def serving(address: str = "127.0.0.1") -> Iterator[Site]:
    """Serve on a free port of a loopback address."""
    with LocalServer((address, 0), Handler) as server:
        made = Site(f"http://{address}:{server.server_address[1]}")
        server.site = made
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()
