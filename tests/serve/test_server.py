import pytest

from riskwatch.serve import server


@pytest.mark.parametrize(
    ("host", "base_url", "is_told"),
    [
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("0.0.0.0", None, True),  # noqa: S104 - nothing listens
        ("192.0.2.7", "http://risk.example.com", True),
        ("192.0.2.7", "https://risk.example.com", False),
        ("::", None, True),
    ],
)
def test_whoever_lets_passwords_travel_in_the_clear_is_told(
    host: str, base_url: str | None, is_told: bool
) -> None:
    told = server.exposures(host, base_url)

    assert ["RISKWATCH_BASE_URL" in one for one in told] == [True] * is_told
