"""RISKWATCH_* -> Settings: the only reader of the environment; every X may be given as X_FILE."""

from __future__ import annotations

import difflib
import ipaddress
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from riskwatch.errors import ConfigError, ConfigErrors

PREFIX = "RISKWATCH_"


class Settings(BaseModel):
    """What RISKWATCH_* says; every X may be given as X_FILE."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: SecretStr | None = Field(
        default=None, description="postgresql+psycopg://...; SQLite in the data folder where absent"
    )
    secret_key: SecretStr | None = Field(
        default=None, description="pepper of API keys; made at first start on SQLite"
    )
    data_dir: Path = Field(
        default=Path("riskwatch-data"), description="folder of the SQLite file and generated secrets"
    )
    config_dir: Path | None = Field(default=None, description="folder laid over the shipped config")
    host: str = Field(default="127.0.0.1", description="address the web server listens on")
    port: int = Field(default=8470, ge=0, le=65535, description="port the web server listens on")
    base_url: str | None = Field(default=None, description="address of this service as its readers see it")
    contact_url: str = Field(
        default="https://example.org/riskwatch", description="named in the user agent of the poller"
    )
    allow_cidrs: tuple[str, ...] = Field(
        default=(), description="networks the poller may reach beside public ones, comma separated"
    )
    anonymous_read: bool = Field(default=False, description="read without a key, on loopback only")
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, console for people"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="least level that is logged"
    )

    @field_validator("allow_cidrs")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value


def read_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings and warnings. Raises ConfigErrors naming each variable that is wrong or unknown."""
    environ = os.environ if environ is None else environ
    values, errors, warnings = dict[str, object](), list[ConfigError](), list[str]()
    for name in sorted(n for n in environ if n.startswith(PREFIX)):
        key = name.removeprefix(PREFIX).lower()
        try:
            if key.removesuffix("_file") in Settings.model_fields and key.endswith("_file"):
                key = key.removesuffix("_file")
                text = _secret_file(name, environ, warnings)
            else:
                text = environ[name]
            values[key] = _from_environment(key, text, name)
        except ConfigError as error:
            errors.append(error)
    settings = None
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        errors.extend(
            ConfigError(
                str(p["msg"]).removeprefix("Value error, "),
                path="environment",
                key=PREFIX + str(p["loc"][0]).upper(),
            )
            for p in error.errors(include_input=False)
        )
    if errors or settings is None:
        raise ConfigErrors(tuple(errors))
    return settings, tuple(warnings)


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
    if info is None:
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
        raise ConfigError(f"unknown setting{hint}", path="environment", key=name)
    if info.annotation is bool:
        if text not in ("true", "false"):
            raise ConfigError("write true or false", path="environment", key=name)
        return text == "true"
    if key == "allow_cidrs":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def shown(settings: Settings) -> dict[str, str]:
    """Return the settings for people: a secret prints as <secret>."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {name: "<secret>" if isinstance(v, SecretStr) else str(v) for name, v in values.items()}
