"""Which addresses may be connected to."""

import ipaddress

import pytest

from riskwatch.collect.guard import Guard, Refused, is_public

SPECIAL = """
0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 192.0.0.8 192.0.0.170
192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1
255.255.255.255 :: ::1 ::7f00:1 ::169.254.169.254 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1
64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
"""


@pytest.mark.parametrize("text", SPECIAL.split())
def test_a_special_address_is_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    with pytest.raises(Refused):
        Guard().judge(text, 443)


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]
)
def test_an_ordinary_address_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
    Guard().judge(text, 443)


def test_only_web_ports_are_open() -> None:
    with pytest.raises(Refused, match="port 22"):
        Guard().judge("1.1.1.1", 22)


def test_an_admitted_network_is_open_and_its_neighbour_is_not() -> None:
    guard = Guard(["10.1.0.0/16", "fd00::/8"])

    guard.judge("10.1.2.3", 9_000)
    guard.judge("::ffff:10.1.2.3", 9_000)
    guard.judge("fd00::1%eth0", 443)
    assert guard.is_admitted("10.1.2.3")
    assert not guard.is_admitted("name.example")
    with pytest.raises(Refused):
        guard.judge("10.2.0.1", 443)


def test_numerals_that_mean_an_address_are_judged_as_that_address() -> None:
    for name in ("2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "localhost"):
        with pytest.raises(Refused):
            Guard().connect(name, 80, timeout_seconds=1)
