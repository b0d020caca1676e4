"""Addresses that may be connected to; the judgement is made on the resolved address, never on the name."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = (80, 443, 8443)
# is_global lets these through, or did so in some Python version.
_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "100.64.0.0/10",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
        "ff00::/8",
    )
)


class Refused(Exception):
    """The guard does not let this connection happen."""


class Guard:
    """Resolves a name once, judges every address, connects to a judged one."""

    def __init__(self, allow_cidrs: Iterable[str] = (), *, ports: Sequence[int] = PORTS) -> None:
        self._allowed: tuple[Network, ...] = tuple(
            ipaddress.ip_network(text, strict=False) for text in allow_cidrs
        )
        self._ports = frozenset(ports)

    def connect(self, host: str, port: int, *, timeout_seconds: float) -> socket.socket:
        """Return a connected socket.

        Raises:
            Refused: Some address of the name is refused.
            OSError: The name does not resolve, or nobody answers.
        """
        found = self.judged(host, port)
        last: OSError | None = None
        for family, kind, protocol, _, address in found:
            try:
                return _connected(family, kind, protocol, address=address, timeout_seconds=timeout_seconds)
            except OSError as error:
                last = error
        raise last or OSError("the name has no address")

    def judged(self, host: str, port: int) -> list[tuple[Any, ...]]:
        """Resolve a name and return its addresses; raises as connect does."""
        found: list[tuple[Any, ...]] = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        for *_, address in found:
            self.judge(str(address[0]), port)
        return found

    def is_admitted(self, host: str) -> bool:
        """Return whether a literal address lies in a network that the operator admitted."""
        try:
            address = _unwrapped(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            return False
        return any(address in network for network in self._allowed if network.version == address.version)

    def judge(self, text: str, port: int) -> None:
        """Raise Refused unless the address is public, or in a network that the operator admitted."""
        address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
        if any(address in network for network in self._allowed if network.version == address.version):
            return
        if port not in self._ports:
            raise Refused(f"port {port} is not one of {', '.join(map(str, sorted(self._ports)))}")
        if not is_public(address):
            raise Refused("the host has an address that is not public")


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the open internet."""
    address = _unwrapped(address)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def _unwrapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _connected(
    family: int, kind: int, protocol: int, *, address: tuple[object, ...], timeout_seconds: float
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(timeout_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock
