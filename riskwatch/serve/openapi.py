"""Routes and pydantic models → OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import re2
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from riskwatch.serve.access import COOKIE, TOKEN_HEADER
from riskwatch.serve.answers import Problem
from riskwatch.serve.route import ID_PATTERN, PATH_PATTERNS, Route

_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    "401": "no valid API key or session",
    "403": "the key or person lacks the scope",
    "404": "nothing has that id",
    "422": "a parameter cannot be used",
    "429": "too many requests",
}


def openapi(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Return the description of the API as one document."""
    routes = sorted(routes, key=lambda route: (route.path, route.method))
    models = {route.answer for route in routes} | {r.body for r in routes if r.body is not None} | {Problem}
    ordered = sorted(models, key=lambda model: model.__name__)
    keys, definitions = models_json_schema(
        [(m, "validation") for m in ordered], ref_template=_REF, by_alias=True
    )
    paths: dict[str, Any] = {}
    for route in routes:
        path = re2.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, keys)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "riskwatch",
            "version": version,
            "description": "How stable each AI-model vendor is, why, and what changed. "
            "Scores run from 0 to 100, 100 most stable. "
            f"The pages' own session ({COOKIE}) opens it too; whatever is not a GET then needs the token of "
            f"its forms in the header {TOKEN_HEADER}.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
            "schemas": definitions.get("$defs", {}),
        },
    }


def _operation(route: Route, keys: Mapping[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "x-scope": route.scope,
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {
            str(route.status): {
                "description": "done" if route.status == 200 else "made",  # noqa: PLR2004 - HTTP
                "content": {"application/json": {"schema": keys[route.answer, "validation"]}},
            },
            **{status: _problem(text, keys) for status, text in _PROBLEMS.items()},
        },
    }
    if route.method != "GET":
        operation["responses"]["400"] = _problem("the body or the token of the session cannot be used", keys)
    if route.is_change:
        operation["responses"]["409"] = _problem("it is read-only, taken or no longer open", keys)
    if route.held is not None:
        operation["responses"]["412"] = _problem("it is not what If-Match names", keys)
    if route.is_alerting:
        operation["responses"]["503"] = _problem("alerting does not run here", keys)
    if route.method == "GET":
        operation["responses"]["304"] = {"description": "not changed since the given entity tag"}
    if route.body is not None:
        schema = keys[route.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        for status in ("413", "415"):
            operation["responses"][status] = _problem("the body cannot be used", keys)
    return operation


def _problem(text: str, keys: Mapping[Any, Any]) -> dict[str, Any]:
    schema = keys[Problem, "validation"]
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re2.findall(r"<(?:[a-z]+:)?([a-z_]+)>", path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": PATH_PATTERNS.get(name, ID_PATTERN)},
        }
        for name in names
    ]


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(by_alias=True)
    made = []
    for name, field in schema.get("properties", {}).items():
        description = field.pop("description", None)
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _bare(field),
        }
        if description:
            parameter["description"] = description
        if field.get("type") == "array":
            parameter.update({"style": "form", "explode": True})
        made.append(parameter)
    return made


def _bare(field: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without `null`: a query parameter is there or is not."""
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    rest = {k: v for k, v in field.items() if k not in ("anyOf", "title", "default")}
    return (
        {**rest, **options[0]} if len(options) == 1 else {**rest, **({"anyOf": options} if options else {})}
    )
