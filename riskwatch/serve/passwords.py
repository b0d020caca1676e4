"""Passwords: argon2id hashes, what one must be like, and one-time ones that the program makes."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from base64 import b64encode
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARS, MOST_CHARS = 12, 256
_LEAST_DIFFERENT = 5
_LEAST_NAME_CHARS = 4  # a shorter name stands in words that have nothing to do with it
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_GROUPS, _GROUP_CHARS = 4, 4  # 79 bits
_one_at_a_time = threading.Lock()  # each takes 64 MiB and a processor: a crowd must wait, not take all


def hashed(password: str) -> str:
    """Return the argon2id hash that is stored, with its salt and cost."""
    with _one_at_a_time:
        return _hasher().hash(_plain(password))


def is_right(password: str, stored: str | None) -> bool:
    """Return whether a password is the hashed one; for None, nobody's hash, it takes as long and is wrong."""
    is_short = len(password) <= MOST_CHARS  # a longer one is no password of ours, but costs what they cost
    try:
        with _one_at_a_time:
            _hasher().verify(stored or _nobody(), _plain(password if is_short else ""))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None and is_short


def fault_of(password: str, *, name: str) -> str | None:
    """Return what is to be changed about a new password, None where it will do."""
    if len(password) < LEAST_CHARS:
        return f"write at least {LEAST_CHARS} characters; a sentence will do"
    if len(password) > MOST_CHARS:
        return f"write at most {MOST_CHARS} characters"
    called = name.partition("@")[0]
    if len(called) >= _LEAST_NAME_CHARS and called in password.lower():
        return "leave your name out of it"
    if len(set(password)) < _LEAST_DIFFERENT:
        return "use more different characters"
    return None


def one_time() -> str:
    """Return a password that is shown once and must be changed at the first log-in."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _plain(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # RFC 9106, second choice: 3 passes over 64 MiB, 4 lanes


@cache
def _nobody() -> str:
    """Return a hash that costs what the others cost and that no password has."""
    made = _hasher()
    salt, tail = (b64encode(bytes(n)).decode().rstrip("=") for n in (made.salt_len, made.hash_len))
    cost = f"m={made.memory_cost},t={made.time_cost},p={made.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tail}"
