"""What every answer carries: security headers, a request id, an entity tag where the reader may keep it."""

import gzip

import pytest

from tests.serve.installation import Installation, Reader

PATHS = (
    "/livez",
    "/readyz",
    "/openapi.json",
    "/v1/vendors",
    "/v1/nothing",
    "/v1/vendors?limit=0",
    "/metrics",
)
QWEN = "/v1/vendors/alibaba/lines/qwen"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("has_key", [True, False])
def test_every_answer_carries_the_security_headers(
    installation: Installation, path: str, has_key: bool
) -> None:
    reader = Reader(installation.flask().test_client(), installation.keys["read"] if has_key else None)

    headers = reader.get(path).headers

    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-ID"]
    assert "Strict-Transport-Security" not in headers


def test_over_https_readers_are_told_to_stay_there(reader: Reader) -> None:
    answer = reader.get("/livez", base_url="https://localhost/")

    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_request_id_is_taken_over(reader: Reader) -> None:
    answer = reader.get("/livez", headers={"X-Request-ID": "trace-0815"})

    assert answer.headers["X-Request-ID"] == "trace-0815"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "é", "a;b"])
def test_a_request_id_that_could_do_harm_is_replaced(reader: Reader, given: str) -> None:
    made = reader.get("/livez", headers={"X-Request-ID": given}).headers["X-Request-ID"]

    assert made != given
    assert made.isalnum()


@pytest.mark.parametrize(
    "path", ["/v1/vendors", f"{QWEN}/score?as_of=2026-03-06", "/v1/events", "/v1/event-types"]
)
def test_an_answer_that_did_not_change_is_not_sent_again(reader: Reader, path: str) -> None:
    first = reader.get(path)
    tag = first.headers["ETag"]

    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = reader.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.get_data(), again.headers["ETag"]) == (304, b"", tag)
    assert reader.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert "private" in first.headers["Cache-Control"]


def test_a_listing_is_packed_for_readers_that_take_it(reader: Reader) -> None:
    plain = reader.get("/v1/vendors")
    packed = reader.get("/v1/vendors", headers={"Accept-Encoding": "br, gzip"})
    again = reader.get(
        "/v1/vendors", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    )

    assert gzip.decompress(packed.get_data()) == plain.get_data()
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    assert again.status_code == 304
    refused = reader.get("/v1/vendors", headers={"Accept-Encoding": "gzip;q=0, br"})
    assert refused.get_data() == plain.get_data()


@pytest.mark.parametrize("path", ["/v1/vendors", "/v1/events", "/openapi.json", "/livez"])
def test_head_tells_what_get_would(reader: Reader, path: str) -> None:
    whole, head = reader.get(path), reader.ask("HEAD", path)

    assert head.status_code == 200
    assert head.get_data() == b""
    assert head.headers["Content-Length"] == str(len(whole.get_data()))
    assert head.headers.get("ETag") == whole.headers.get("ETag")
