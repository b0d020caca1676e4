"""The web server: gunicorn, one process with threads; the ticks run beside the web app in it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

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


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    def __init__(
        self,
        listening: socket.socket,
        make_app: Callable[[], Any],
        *,
        ready: Callable[[], object],
        started: Callable[[], Callable[[], None]],
    ) -> None:
        self._listening, self._make_app, self._ready, self._started = listening, make_app, ready, started
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
            "when_ready": lambda _server: self._ready(),
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
    ready: Callable[[], object] = lambda: None,
    started: Callable[[], Callable[[], None]] = lambda: lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        listening: Socket of `listen`.
        make_app: Called in the serving process; gives the WSGI app.
        ready: Called once the server accepts connections.
        started: Called in the serving process after make_app; gives what to call at the end.
    """
    _Server(listening, make_app, ready=ready, started=started).run()
