"""RISKWATCH_* -> Settings: the only reader of the environment; every X may be given as X_FILE."""

from __future__ import annotations

import difflib
import ipaddress
import os
import stat
from collections.abc import Mapping
from email.headerregistry import Address
from email.utils import getaddresses
from pathlib import Path
from typing import Literal, Self, TypeGuard
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from riskwatch.errors import ConfigError, ConfigErrors

PREFIX = "RISKWATCH_"
_NAMED = "receiver_secret_"


class Settings(BaseModel):
    """What RISKWATCH_* says; every X may be given as X_FILE."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: SecretStr | None = Field(
        default=None, description="postgresql+psycopg://...; SQLite in the data folder where absent"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="pepper of API keys and sessions; made at first start on SQLite"
    )
    data_dir: Path = Field(
        default=Path("riskwatch-data"), description="folder of the SQLite file and generated secrets"
    )
    config_dir: Path | None = Field(default=None, description="folder laid over the shipped config")
    cache_dir: Path | None = Field(
        default=None, description="folder of what can be made again; the user's own cache where absent"
    )
    host: str = Field(default="127.0.0.1", description="address the web server listens on")
    port: int = Field(default=8470, ge=0, le=65535, description="port the web server listens on")
    base_url: str | None = Field(default=None, description="address of this service as its readers see it")
    contact_url: str = Field(
        default="https://example.org/riskwatch", description="named in the user agent of the poller"
    )
    allow_cidrs: tuple[str, ...] = Field(
        default=(), description="networks the poller may reach beside public ones, comma separated"
    )
    anonymous_read: bool = Field(default=False, description="read without a key or log-in, on loopback only")
    trusted_proxies: int = Field(
        default=0, ge=0, le=8, description="servers in front whose X-Forwarded-For and -Proto are believed"
    )
    local_login: bool = Field(default=True, description="people log in with a password kept here")
    oidc_issuer: str | None = Field(default=None, description="OpenID provider by which people log in")
    oidc_client_id: str | None = Field(default=None, description="what riskwatch is called there")
    oidc_client_secret: SecretStr | None = Field(default=None, description="its secret there")
    oidc_label: str = Field(
        default="single sign-on", min_length=1, max_length=60, description="the link reads Log in with ..."
    )
    oidc_name_claim: Literal["email", "preferred_username"] = Field(
        default="email", description="claim that names a new person; an email must be verified"
    )
    oidc_groups_claim: str = Field(default="groups", min_length=1, description="claim that lists the groups")
    oidc_read_groups: tuple[str, ...] = Field(
        default=(), description="groups that may read, comma separated; who is in none of the three stays out"
    )
    oidc_review_groups: tuple[str, ...] = Field(default=(), description="groups that may review")
    oidc_admin_groups: tuple[str, ...] = Field(default=(), description="groups that may do everything")
    smtp_host: str | None = Field(default=None, description="relay that takes mail; without one none is sent")
    smtp_port: int | None = Field(
        default=None, ge=1, le=65535, description="its port; 587, or 465 where the security is tls"
    )
    smtp_security: Literal["starttls", "tls"] = Field(
        default="starttls", description="how the connection is protected; it always is"
    )
    smtp_user: str | None = Field(default=None, description="name to log in with; without one nobody logs in")
    smtp_password: SecretStr | None = Field(default=None, description="its password")
    smtp_from: str | None = Field(
        default=None, description="sender of all mail: name@example.com, or Name <name@example.com>"
    )
    heartbeat_url: SecretStr | None = Field(
        default=None, description="asked once a minute while alerting works: a dead man's switch outside"
    )
    receiver_secret: dict[str, SecretStr] = Field(
        default_factory=dict, description="_<NAME>: secret that a receiver of config/alerts.yaml names"
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )

    @property
    def cache(self) -> Path | None:
        """The folder of what can be made again; none where the user has no home."""
        if self.cache_dir is not None:
            return self.cache_dir
        try:
            return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "riskwatch"
        except RuntimeError:
            return None

    @field_validator("allow_cidrs")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://-")
        if parts.scheme != "https" and (parts.scheme != "http" or not _is_loopback(parts.hostname or "")):
            raise ValueError("write https://... (http only on loopback)")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("write the address alone, without ?, # or a user name")
        return value.rstrip("/") if value else value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        cls._address(value)
        return value  # to the letter, a slash at its end included: tokens must name the same

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None:
            _mail_address(value)
        return value

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.smtp_host and not self.smtp_from:
            raise ValueError("RISKWATCH_SMTP_HOST needs RISKWATCH_SMTP_FROM")
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise ValueError("RISKWATCH_SMTP_USER and RISKWATCH_SMTP_PASSWORD go together")
        return self

    @model_validator(mode="after")
    def _log_in_is_whole(self) -> Self:
        needed = {
            "RISKWATCH_OIDC_CLIENT_ID": self.oidc_client_id,
            "RISKWATCH_OIDC_CLIENT_SECRET": self.oidc_client_secret,
            "RISKWATCH_BASE_URL": self.base_url,
            "RISKWATCH_OIDC_READ_GROUPS, _REVIEW_GROUPS or _ADMIN_GROUPS": any(self.oidc_groups.values()),
        }
        missing = [name for name, value in needed.items() if not value]
        if self.oidc_issuer and missing:
            raise ValueError(f"RISKWATCH_OIDC_ISSUER needs {', '.join(missing)}")
        if not self.oidc_issuer and not self.local_login:
            raise ValueError("RISKWATCH_LOCAL_LOGIN=false needs RISKWATCH_OIDC_ISSUER: nobody could log in")
        return self

    @property
    def oidc_groups(self) -> dict[str, tuple[str, ...]]:
        """The groups of the provider that give each scope."""
        return {
            "read": self.oidc_read_groups,
            "review": self.oidc_review_groups,
            "admin": self.oidc_admin_groups,
        }

    @property
    def mail_sender(self) -> Address | None:
        """The sender of all mail."""
        return _mail_address(self.smtp_from) if self.smtp_from else None

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, and the parts of secret addresses, for masking."""
        values = [getattr(self, name) for name in type(self).model_fields]
        secrets = [v.get_secret_value() for v in (*values, *self.receiver_secret.values()) if _is_secret(v)]
        parts = [part for secret in secrets for part in secret.split()]
        paths = [urlsplit(part).path for part in parts if part.startswith(("https://", "http://"))]
        paths += [path.lstrip("/") for path in paths] + [path.rpartition("/")[2] for path in paths]
        return tuple(sorted({*secrets, *parts, *paths} - {"", "/"}))

    @property
    def mail_port(self) -> int:
        """The port of the relay."""
        return self.smtp_port or (465 if self.smtp_security == "tls" else 587)


def read_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings and warnings. Raises ConfigErrors naming each variable that is wrong or unknown."""
    environ = os.environ if environ is None else environ
    values, errors, warnings = dict[str, object](), list[ConfigError](), list[str]()
    named: dict[str, SecretStr] = {}
    for name in sorted(n for n in environ if n.startswith(PREFIX)):
        key = name.removeprefix(PREFIX).lower()
        try:
            plain = key.removesuffix("_file")
            is_file = key.endswith("_file") and (plain in Settings.model_fields or _is_named(plain))
            text = _secret_file(name, environ, warnings) if is_file else environ[name]
            key = plain if is_file else key
            if _is_named(key):
                named[key.removeprefix(_NAMED)] = SecretStr(text)
            else:
                values[key] = _from_environment(key, text, name)
        except ConfigError as error:
            errors.append(error)
    settings = None
    try:
        settings = Settings.model_validate(values | {"receiver_secret": named})
    except ValidationError as error:
        errors.extend(
            ConfigError(
                str(p["msg"]).removeprefix("Value error, "),
                path="environment",
                key=PREFIX + str(p["loc"][0]).upper() if p["loc"] else None,
            )
            for p in error.errors(include_input=False)
        )
    if errors or settings is None:
        raise ConfigErrors(tuple(errors))
    return settings, tuple(warnings)


def _is_named(key: str) -> bool:
    return key.startswith(_NAMED) and len(key) > len(_NAMED)


def _is_secret(value: object) -> TypeGuard[SecretStr]:
    return isinstance(value, SecretStr)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _mail_address(text: str) -> Address:
    try:
        ((name, address),) = getaddresses([text])
        made = Address(name, addr_spec=address)
    except (ValueError, IndexError):
        made = Address()
    if not (text.isprintable() and made.username and "." in made.domain and made.addr_spec.isascii()):
        raise ValueError("write name@example.com, or Name <name@example.com>")
    return made


def _secret_file(name: str, environ: Mapping[str, str], warnings: list[str]) -> str:
    plain = name.removesuffix("_FILE")
    if plain in environ:
        raise ConfigError(f"{plain} is set too; keep one of the two", path="environment", key=name)
    path = Path(environ[name])
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the file cannot be read: {type(error).__name__}", path="environment", key=name
        ) from error
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        warnings.append(f"{name}: the file can be read by others; chmod 600 it")
    return text.removesuffix("\n")


def _from_environment(key: str, text: str, name: str) -> object:
    info = Settings.model_fields.get(key)
    if info is None or key == _NAMED.rstrip("_"):
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
        raise ConfigError(f"unknown setting{hint}", path="environment", key=name)
    if info.annotation is bool:
        if text not in ("true", "false"):
            raise ConfigError("write true or false", path="environment", key=name)
        return text == "true"
    if info.annotation == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def shown(settings: Settings) -> dict[str, str]:
    """Return the settings for people: a secret prints as <secret>."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    named = {f"{_NAMED}{name}": secret for name, secret in settings.receiver_secret.items()}
    del values["receiver_secret"]
    return {name: "<secret>" if _is_secret(v) else str(v) for name, v in (values | named).items()}
