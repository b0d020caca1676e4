"""A thousand requests made from the description of the API: what it promises, it keeps."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
)
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import status_code_conformance

from tests.serve.installation import Installation, Reader

CASES = 12  # of each operation, mode and choice of ids: more than 1,000 in all
SETTINGS = settings(
    max_examples=CASES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.slow
def test_generated_requests_get_the_answers_that_the_description_promises(
    own_installation: Installation,
) -> None:
    installation = own_installation  # some of them change what is there
    app = installation.flask(anonymous_per_minute=1_000_000)
    key = {
        "X-API-Key": installation.keys["admin"],
        "Accept-Encoding": "identity",
    }  # its client unpacks nothing
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    ids = _ids(Reader(app.test_client(), installation.keys["admin"]))
    asked = dict.fromkeys(range(200, 600), 0)

    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        names = [parameter.name for parameter in operation.path_parameters]
        for mode in GenerationMode:
            for path in ({}, {name: ids[name] for name in names}):

                @SETTINGS
                @given(case=operation.as_strategy(mode, path_parameters=path or None))
                def ask(case: schemathesis.Case[Any]) -> None:
                    answer = case.call(headers=key)
                    case.validate_response(answer, checks=CHECKS)
                    asked[answer.status_code] += 1

                ask()

    assert sum(asked.values()) >= 1_000
    assert asked[200] > 200
    assert asked[422] > 100
    assert not [status for status, count in asked.items() if count and status >= 500]


def _ids(reader: Reader) -> dict[str, str]:
    event = reader.json("/v1/vendors/alibaba/events")["items"][0]
    source = reader.json("/v1/sources")["items"][0]["id"]
    return {
        "vendor": "alibaba", "line": "qwen", "event": event["id"], "story": event["story"] or "none",
        "article": event["claims"][0]["article"], "source": source,
        "incident": reader.json("/v1/incidents")["items"][0]["id"],
        "silence": reader.json("/v1/silences")["items"][0]["id"],
        "delivery": reader.json("/v1/deliveries?state=dead")["items"][0]["id"],
        "alert_rule": "qwen-low", "receiver": "grc", "digest": "mondays",
    }  # fmt: skip
