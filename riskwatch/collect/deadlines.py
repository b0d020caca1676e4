"""The last instant of each exchange: whatever outlasts it has its socket shut down."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCH_SECONDS = 0.25


@dataclass(slots=True, eq=False)
class Watch:
    """One exchange and when it must be over."""

    ends: float
    socket: socket.socket | None = None

    def is_over(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self.ends

    def cut(self) -> None:
        """Shut the socket down under whoever reads from it."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                # The base method: that of a TLS socket would drop its state under the reader
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Deadlines:
    """Cuts exchanges that outlast their time: a socket's own time-out starts anew with every byte."""

    def __init__(self) -> None:
        self._open: set[Watch] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def running(self, ends: float) -> Iterator[Watch]:
        """Watch over one exchange until `ends` (monotonic seconds)."""
        watch = Watch(ends)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="riskwatch-deadlines", daemon=True)
                self._thread.start()
            self._open.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._open.discard(watch)

    def close(self) -> None:
        """Let the watching thread end."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._closed.wait(_WATCH_SECONDS):
            with self._lock:
                late = [watch for watch in self._open if watch.is_over()]
            for watch in late:
                watch.cut()
