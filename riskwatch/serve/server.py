"""The web server: gunicorn, one process with threads; the ticks run beside the web app in it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from gunicorn.app.base import BaseApplication

from riskwatch.errors import Invalid

THREADS = 8
GRACE_SECONDS = 25  # SIGTERM: current requests and ticks may finish


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises Invalid where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Invalid(
            "port", f"{host}:{port} cannot be used ({error.strerror}); choose another --port"
        ) from error
    listening.listen(256)
    listening.set_inheritable(True)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address of a socket as a reader opens it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def exposures(host: str, base_url: str | None) -> list[str]:
    """Return warnings about a server at an address: off this machine no password should go in the clear."""
    is_here: bool = ipaddress.ip_address(host).is_loopback
    is_safe = is_here or (base_url is not None and base_url.startswith("https://"))
    told = (
        f"listening on {host} without TLS: passwords and keys travel in the clear; put a server with TLS in "
        "front and set RISKWATCH_BASE_URL=https://..."
    )
    return [] if is_safe else [told]


def become(listening: socket.socket, arguments: Sequence[str]) -> NoReturn:
    """Go on as a fresh process that serves the socket: what preparing took of memory is given back."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "riskwatch", *arguments, "--socket", str(listening.fileno())]
    os.execv(sys.executable, command)  # noqa: S606 - our own program with our own words


def inherited(descriptor: int) -> socket.socket:
    """Return the listening socket that `become` handed over."""
    return socket.socket(fileno=descriptor)


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    def __init__(
        self,
        listening: socket.socket,
        make_app: Callable[[], Any],
        *,
        started: Callable[[], Callable[[], None]],
    ) -> None:
        self._listening, self._make_app, self._started = listening, make_app, started
        super().__init__()

    def load_config(self) -> None:
        stops: list[Callable[[], None]] = []
        options = {
            "bind": f"fd://{self._listening.fileno()}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 120,
            "keepalive": 15,
            "preload_app": False,  # engines and ticks are made after the fork
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # RISKWATCH_TRUSTED_PROXIES alone says whose headers are believed
            "post_worker_init": lambda _worker: stops.append(self._started()),
            "worker_int": lambda _worker: None,
            "worker_exit": lambda _server, _worker: [stop() for stop in stops],
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401 - a WSGI callable
        return self._make_app()


def run(
    listening: socket.socket,
    make_app: Callable[[], Any],
    *,
    started: Callable[[], Callable[[], None]] = lambda: lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        listening: Socket of `listen`.
        make_app: Called in the serving process; gives the WSGI app.
        started: Called in the serving process after make_app; gives what to call at the end.
    """
    _Server(listening, make_app, started=started).run()
