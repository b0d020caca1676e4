"""Pools of connections that pass the guard and are watched while they answer."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import exceptions as faults
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from riskwatch.collect.guard import Guard


def guarded_pools(
    guard: Guard, threads: threading.local
) -> tuple[type[HTTPConnectionPool], type[HTTPSConnectionPool]]:
    """Return pool classes whose connections pass the guard and are watched while they answer."""

    class _Guarded:
        def _new_conn(self: Any) -> socket.socket:  # HTTPConnection or HTTPSConnection
            try:
                sock = guard.connect(self._dns_host, self.port, timeout_seconds=self.timeout or 5.0)
            except socket.gaierror as error:
                raise faults.NameResolutionError(self.host, self, error) from error
            except TimeoutError as error:
                raise faults.ConnectTimeoutError(self, "connecting took too long") from error
            except OSError as error:
                raise faults.NewConnectionError(self, f"{type(error).__name__}") from error
            threads.watch.socket = sock
            return sock

        def getresponse(self: Any) -> Any:  # noqa: ANN401  # as urllib3 gives it
            threads.watch.socket = self.sock
            threads.is_sent = True
            return super().getresponse()  # type: ignore[misc]  # the connection class beside it has one

    class _Plain(_Guarded, HTTPConnection):
        pass

    class _Tls(_Guarded, HTTPSConnection):
        pass

    class _PlainPool(HTTPConnectionPool):
        ConnectionCls = _Plain

    class _TlsPool(HTTPSConnectionPool):
        ConnectionCls = _Tls

    return _PlainPool, _TlsPool
