"""Real peers on 127.0.0.1 that do what a test tells them to: a mail relay and a web hook."""

from __future__ import annotations

import io
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

END = b"\r\n.\r\n"
DROP = b""  # hang up without a word


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


@contextmanager
def serving(server: _Server) -> Iterator[int]:
    """Serve in a thread; yield the port."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


# -------------------------------------------------------------------------------- mail
Reply = "bytes | Callable[[Talk], bytes]"


@dataclass
class Relay:
    """A mail relay; `script` holds what it says instead of yes, one reply a use, by verb.

    Verbs are those of SMTP, and GREETING, MIDDLE (inside the message) and CONTENT (after the final dot).
    """

    certificate: Path | None = None
    is_tls_from_start: bool = False
    port: int = 0
    script: dict[str, list[bytes | Callable[[Talk], bytes]]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)  # commands, in order, of all connections
    mails: list[tuple[str, bytes]] = field(default_factory=list)  # (recipient, content) that it took
    connections: int = 0
    auth: str = "PLAIN LOGIN"
    over: threading.Event = field(default_factory=threading.Event)  # the test has ended

    def says(self, verb: str, *replies: bytes | Callable[[Talk], bytes]) -> None:
        self.script.setdefault(verb, []).extend(replies)

    def copies(self, message_id: str) -> int:
        return sum(f"Message-ID: <{message_id}@".encode() in content for _, content in self.mails)


class Talk(socketserver.BaseRequestHandler):
    """One connection to a Relay."""

    def setup(self) -> None:
        self.relay: Relay = self.server.relay  # type: ignore[attr-defined] # set by relaying
        self.relay.connections += 1
        self.connection: socket.socket = self.request
        self.to, self.content = "", b""
        self.file: io.BufferedIOBase = io.BytesIO()

    def handle(self) -> None:
        if self.relay.is_tls_from_start:
            self.wrap()
        self.file = self.connection.makefile("rb")
        if not self.say("GREETING", b"220 relay.example ready\r\n"):
            return
        while line := self.file.readline(8_192):
            self.relay.heard.append(line.decode("latin-1").strip())
            if not self.answer(line):
                return

    def finish(self) -> None:
        self.file.close()
        self.connection.close()

    def answer(self, line: bytes) -> bool:
        verb = line.split()[0].decode("latin-1").upper()
        if verb == "EHLO":
            offers = [b"relay.example", b"8BITMIME"]
            is_clear = not isinstance(self.connection, ssl.SSLSocket)
            offers += [b"STARTTLS"] if self.relay.certificate and is_clear else []
            offers += [] if is_clear else [b"AUTH " + self.relay.auth.encode()]
            text = b"".join(b"250-%s\r\n" % offer for offer in offers[:-1])
            return self.say(verb, text + b"250 %s\r\n" % offers[-1])
        if verb == "STARTTLS":
            if not self.say(verb, b"220 go ahead\r\n"):
                return False
            self.file.close()
            self.wrap()
            self.file = self.connection.makefile("rb")
            return True
        if verb == "RCPT":
            self.to = line.decode().split("<")[1].split(">")[0]
        if verb == "DATA":
            return self.take_content()
        return self.say(verb, {"QUIT": b"221 bye\r\n", "AUTH": b"235 welcome\r\n"}.get(verb, b"250 yes\r\n"))

    def take_content(self) -> bool:
        if not self.say("DATA", b"354 go on\r\n"):
            return False
        if self.relay.script.get("MIDDLE"):
            self.file.read(1_000)
            return self.say("MIDDLE", b"")
        lines = bytearray()
        while not lines.endswith(END):
            line = self.file.readline(65_536)
            if not line:
                return False
            lines += line
        self.content = bytes(lines)
        return self.say("CONTENT", lambda talk: talk.keep(b"250 2.0.0 queued as 4711\r\n"))

    def say(self, verb: str, usual: bytes | Callable[[Talk], bytes]) -> bool:
        replies = self.relay.script.get(verb, [])
        reply = replies.pop(0) if replies else usual
        text = reply(self) if callable(reply) else reply
        if text:
            self.connection.sendall(text)
        return bool(text)

    def keep(self, reply: bytes = DROP) -> bytes:
        """Take the message, then reply (or hang up)."""
        self.relay.mails.append((self.to, self.content))
        return reply

    def wrap(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.relay.certificate
        context.load_cert_chain(self.relay.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)


@contextmanager
def relaying(certificate: Path | None, *, is_tls_from_start: bool = False) -> Iterator[Relay]:
    """Run a Relay."""
    with _Server(("127.0.0.1", 0), Talk) as server:
        relay = Relay(certificate, is_tls_from_start)
        server.relay = relay  # type: ignore[attr-defined] # read by Talk
        with serving(server) as relay.port:
            yield relay
        relay.over.set()


# -------------------------------------------------------------------------------- hooks
@dataclass(frozen=True)
class Asked:
    """One request that a Hook got."""

    path: str
    headers: dict[str, str]
    body: bytes


Answering = bytes | Callable[[socket.socket], None]


@dataclass
class Hook:
    """A web hook: answers by path, one a request; the last one repeats."""

    url: str = ""
    answers: dict[str, list[Answering]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)  # the test has ended

    def says(self, path: str, *answers: Answering) -> str:
        """Set the answers of a path; return its URL."""
        self.answers[path] = list(answers)
        return self.url + path

    def asked_at(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of an answer."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Visit(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        hook: Hook = self.server.hook  # type: ignore[attr-defined] # set by hooking
        hook.connections += 1
        line = self.rfile.readline(8_192)
        if not line:
            return
        path, headers = line.split()[1].decode(), {}
        while (one := self.rfile.readline(8_192)) not in (b"\r\n", b""):
            name, _, value = one.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        replies = hook.answers.get(path) or [answer(404)]
        body = self.rfile.read(int(headers.get("content-length", "0")))
        hook.asked.append(Asked(path, headers, body))
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            reply(self.connection)
        else:
            self.connection.sendall(reply)


@contextmanager
def hooking() -> Iterator[Hook]:
    """Run a Hook."""
    with _Server(("127.0.0.1", 0), _Visit) as server:
        hook = Hook()
        server.hook = hook  # type: ignore[attr-defined] # read by _Visit
        with serving(server) as port:
            hook.url = f"http://127.0.0.1:{port}"
            yield hook
        hook.over.set()


def a_free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
