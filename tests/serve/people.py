"""People of the tests, and a browser that logs in as one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import unescape
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from riskwatch.app import App
from riskwatch.serve import passwords
from riskwatch.serve.access import COOKIE
from riskwatch.store import User

PASSWORD = "a long sentence of ours"
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@cache
def _hash() -> str:
    return _CHEAP.hash(PASSWORD)  # at one cost, whichever test asks first


def add_user(app: App, name: str, scope: str = "read", **values: Any) -> User:
    """Make somebody whose password is PASSWORD, without the time that a hash takes."""
    made = User(name, scope, _hash(), **{"is_one_time": False, "created_at": app.now(), **values})
    with app.store.begin() as unit:
        unit.access.add_user(made)
    return made


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Let a password take no third of a second; tests/serve/test_passwords.py looks at the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: _CHEAP)
        passwords._nobody.cache_clear()
        yield
    passwords._nobody.cache_clear()


class Browser:
    """Keeps cookies, fills in forms."""

    def __init__(self, flask: Flask, name: str | None = None, **given: Any) -> None:
        self.client: FlaskClient = flask.test_client()
        if name is not None:
            assert self.log_in(name, **given).status_code == 303

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.client.get(path, **given)

    def post(self, path: str, *, form: str | None = None, **fields: str) -> TestResponse:
        """Post fields with the token of a page's form."""
        return self.client.post(path, data={"csrf": self.token(form or path), **fields})

    def token(self, page: str) -> str:
        found = _TOKEN.search(self.get(page).get_data(as_text=True))
        assert found is not None, page
        return found[1]

    def log_in(self, name: str, password: str = PASSWORD, *, to: str = "/sources") -> TestResponse:
        return self.post("/login", name=name, password=password, next=to)

    def change_password(self, present: str, new: str, again: str | None = None) -> TestResponse:
        return self.post("/password", present=present, new=new, again=new if again is None else again)

    @property
    def session(self) -> str | None:
        cookie = self.client.get_cookie(COOKIE)
        return None if cookie is None else cookie.value

    def is_in(self) -> bool:
        return self.get("/sources").status_code == 200


def text_of(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))
