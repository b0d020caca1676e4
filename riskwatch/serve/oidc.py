"""The identity provider (OpenID Connect): the way to it, and what its ID token vouches for."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from riskwatch.errors import CollectError, Unauthorized
from riskwatch.model import SCOPES
from riskwatch.serve.context import Now, Sso
from riskwatch.serve.people import Vouched, folded

# Asymmetric ones alone: under HS256 the published key would be the secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY = timedelta(minutes=1)  # between the provider's clock and ours
_HELD, _LEAST_HELD = timedelta(hours=1), timedelta(minutes=1)  # a key unknown in a set older than that: again
_FAULT_HELD = timedelta(seconds=10)  # a provider that fails is left alone so long
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, 2: at most 255 ASCII characters
T = TypeVar("T")
_BROKEN = (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Asked:
    """One log-in on its way: what ties the answer to the browser that it began in."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str  # RFC 7636: its hash goes ahead, itself comes with the code


class Provider:
    """One identity provider; its description and keys are held for an hour, in this process."""

    def __init__(self, sso: Sso, now: Now) -> None:
        self._sso = sso
        self._now = now
        self._about = _Held(self._read_about, now)
        self._keys = _Held(self._read_keys, now)

    def way_in(self, asked: Asked) -> str:
        """Return the address that the browser is sent to. Raises Unauthorized where the provider fails."""
        given = {
            "response_type": "code",
            "client_id": self._sso.client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": "openid email profile",
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": create_s256_code_challenge(asked.verifier),
            "code_challenge_method": "S256",
        }
        address = str(self._about.read()["authorization_endpoint"])
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(given)}"

    def vouched(self, code: str, asked: Asked) -> Vouched:
        """Return who came back with a code. Raises Unauthorized where that cannot be believed."""
        claims = self._claims(self._token(code, asked), nonce=asked.nonce)
        subject = claims["sub"]
        if not (subject.isascii() and subject.isprintable() and 0 < len(subject) <= _LONGEST_SUBJECT):
            raise self._fault("its token names nobody")
        return Vouched(f"{self._sso.issuer} {subject}", self._name(claims), self._scope(claims))

    # ---------------------------------------------------------------------------- token
    def _token(self, code: str, asked: Asked) -> str:
        about = self._about.read()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect_uri,
            "code_verifier": asked.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        name, secret = self._sso.client_id, self._sso.client_secret
        ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in ways:  # RFC 6749, 2.3.1
            both = f"{quote(name, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        else:
            fields |= {"client_id": name, "client_secret": secret}
        answer = self._asked(about["token_endpoint"], urlencode(fields).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise self._fault("it gave no token")
        return token

    def _claims(self, token: str, *, nonce: str) -> Mapping[str, Any]:
        try:
            read = self._read_token(token)
            options = {
                "iss": {"essential": True, "value": self._sso.issuer},
                "aud": {"essential": True, "value": self._sso.client_id},
            }
            params = {"nonce": nonce, "client_id": self._sso.client_id}
            claims = CodeIDToken(read.claims, read.header, options, params)
            claims.validate(now=int(self._now().timestamp()), leeway=int(LEEWAY.total_seconds()))
        except _BROKEN as error:
            why = plain(error) if isinstance(error, JoseError) else type(error).__name__
            raise self._fault(f"its token is not valid ({why})") from error
        return dict(claims)

    def _read_token(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._keys.read(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider may have changed its keys
            return jwt.decode(token, self._keys.read(at_most=_LEAST_HELD), algorithms=ALGORITHMS)

    def _name(self, claims: Mapping[str, Any]) -> str:
        claim = self._sso.name_claim
        if claim == "email" and claims.get("email_verified") is not True:
            raise self._fault("your e-mail address is not verified there")
        told = claims.get(claim)
        name = folded(told) if isinstance(told, str) else None
        if name is None:
            raise self._fault(f"its claim {claim} gives no name that can be used here")
        return name

    def _scope(self, claims: Mapping[str, Any]) -> str | None:
        told = claims.get(self._sso.groups_claim, [])
        groups = {told} if isinstance(told, str) else {one for one in _list(told) if isinstance(one, str)}
        return next((scope for scope in reversed(SCOPES) if groups & set(self._sso.groups[scope])), None)

    # ---------------------------------------------------------------------------- provider
    def _read_about(self) -> dict[str, Any]:
        issuer = self._sso.issuer
        about = self._asked(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != issuer:
            raise self._fault("it names itself otherwise than RISKWATCH_OIDC_ISSUER does")
        allowed = ("https://", "http://") if issuer.startswith("http://") else ("https://",)
        for name in _ENDPOINTS:
            address = about.get(name)
            if not (isinstance(address, str) and address.startswith(allowed) and plain(address) == address):
                raise self._fault(f"its {name} is no address that can be used")
        about["token_endpoint_auth_methods_supported"] = _list(
            about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        )
        return about

    def _read_keys(self) -> KeySet:
        found = _list(self._asked(self._about.read()["jwks_uri"]).get("keys"))
        usable = [
            key
            for key in found
            if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
        ]
        try:
            return KeySet.import_key_set({"keys": usable})
        except _BROKEN as error:
            raise self._fault("its keys cannot be read") from error

    def _asked(
        self, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            status, text = self._sso.ask(url, body, headers or {})
        except CollectError as error:
            raise self._fault(error.reason) from error
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._fault(f"its answer cannot be read (status {status})") from error
        if not isinstance(read, dict) or status != 200:  # noqa: PLR2004 - HTTP's success
            told = read.get("error") if isinstance(read, dict) else None  # RFC 6749, 5.2
            raise self._fault(
                f"its answer cannot be used (status {status}{f', {plain(told)}' if told else ''})"
            )
        return read

    def _fault(self, reason: str) -> Unauthorized:
        return Unauthorized(f"Log-in with {self._sso.label} failed: {reason}.")


class _Held(Generic[T]):
    """Something that is read once in a while; who asks meanwhile waits for the one who reads it."""

    def __init__(self, read: Callable[[], T], now: Now) -> None:
        self._read, self._now, self._lock = read, now, threading.Lock()
        self._value: tuple[datetime, T] | None = None
        self._fault: tuple[datetime, Unauthorized] | None = None

    def read(self, *, at_most: timedelta = _HELD) -> T:
        """Return it, at most so old. Raises Unauthorized, for some seconds without asking again."""
        with self._lock:
            now = self._now()
            if self._value is not None and now - self._value[0] < at_most:
                return self._value[1]
            if self._fault is not None and now - self._fault[0] < _FAULT_HELD:
                raise Unauthorized(str(self._fault[1]))
            try:
                value = self._read()
            except Unauthorized as error:
                self._fault = (now, error)
                raise
            self._value, self._fault = (now, value), None
            return value


def plain(text: object) -> str:
    """Return what an outsider says as one short line."""
    return "".join(one for one in str(text)[:400] if one.isprintable())


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
