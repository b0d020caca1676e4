"""A small OpenID provider on 127.0.0.1, honest unless a test makes it lie."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug import Request, Response
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from riskwatch import web
from riskwatch.environment import read_settings
from tests.serve.people import Browser

CLIENT, SECRET = "riskwatch client", "a secret:with/odd+characters"
BASE = "http://localhost"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
ANN = {
    "sub": "248289761001",
    "email": "Ann@example.com",
    "email_verified": True,
    "preferred_username": "ann",
    "groups": ["everybody", "risk-desk"],
}


@dataclass
class Provider:
    """Who asks for a code is ANN, with `claims` over hers."""

    clock: Callable[[], datetime]
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)  # over its description
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    sign: Callable[[dict[str, Any]], str] | None = None  # in place of its own way to make a token
    asked: list[str] = field(default_factory=list)  # paths
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # code -> what came with its request
    is_down: bool = False

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        views = {
            "/.well-known/openid-configuration": self.describe,
            "/authorize": self.authorize,
            "/token": self.token,
            "/keys": self.publish,
        }
        view = views.get(request.path)
        answer = Response("down", status=503) if view is None or self.is_down else view(request)
        return answer(environ, start_response)

    def describe(self, _request: Request) -> Response:
        return _json(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.about,
            }
        )

    def publish(self, _request: Request) -> Response:
        return _json({"keys": [key.as_dict(private=False) for key in self.keys]})

    def authorize(self, request: Request) -> Response:
        asked = request.args.to_dict()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"]})
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})

    def token(self, request: Request) -> Response:
        held = self.codes.pop(request.form.get("code", ""), None)
        shown = request.headers.get("Authorization", "").removeprefix("Basic ")
        client = tuple(map(unquote, b64decode(shown).decode().split(":"))) if shown else (
            request.form.get("client_id"), request.form.get("client_secret"),
        )  # fmt: skip
        verifier = request.form.get("code_verifier", "")
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if client != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 401)
        if held is None or challenge != held["code_challenge"] or held["code_challenge_method"] != "S256":
            return _json({"error": "invalid_grant"}, 400)
        if request.form.get("redirect_uri") != held["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        claims = self.claims_for(held)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.signed(claims)})

    def claims_for(self, asked: Mapping[str, str]) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        made = {"iss": self.url, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        return {name: value for name, value in {**made, **ANN, **self.claims}.items() if value is not None}

    def signed(self, claims: dict[str, Any]) -> str:
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY)

    def ways(self, **settings: str) -> dict[str, Any]:
        """Return what `flask` of an installation takes to trust this provider."""
        chosen, _ = read_settings(
            {
                "RISKWATCH_OIDC_ISSUER": self.url,
                "RISKWATCH_OIDC_CLIENT_ID": CLIENT,
                "RISKWATCH_OIDC_CLIENT_SECRET": SECRET,
                "RISKWATCH_OIDC_REVIEW_GROUPS": "risk-desk, risk-managers",
                "RISKWATCH_OIDC_ADMIN_GROUPS": "risk-admins",
                "RISKWATCH_OIDC_READ_GROUPS": "readers",
                "RISKWATCH_BASE_URL": BASE,
                "RISKWATCH_ALLOW_CIDRS": "127.0.0.0/8",
                **settings,
            }
        )
        return {"base_url": BASE, **web.ways_in(chosen)}


@contextmanager
def providing(clock: Callable[[], datetime]) -> Iterator[Provider]:
    """Run a provider."""
    made = Provider(clock)
    server = make_server("127.0.0.1", 0, made, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def back_from(browser: Browser, to: str = "/sources") -> str:
    """Go to the provider; return the address that it sends the browser back to, on this site."""
    begun = browser.get(f"/login/sso?{urlencode({'next': to})}")
    assert begun.status_code == 303, begun.get_data(as_text=True)
    answer = requests.get(begun.headers["Location"], allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith(f"{BASE}/")
    return answer.headers["Location"].removeprefix(BASE)


def come_in(browser: Browser, to: str = "/sources") -> TestResponse:
    """Log in by the provider."""
    return browser.get(back_from(browser, to))


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(address.partition("?")[2]).items()}


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")
