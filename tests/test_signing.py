"""Links that act are bound to purpose, recipient, object and time."""

from datetime import UTC, datetime, timedelta

import pytest

from riskwatch.errors import Invalid
from riskwatch.signing import sign, verify

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
KEY = b"k" * 32


def test_a_link_says_what_it_allows_to_whom_and_until_when() -> None:
    grant = verify(sign("acknowledge", "a@example.com", "01J", now=NOW, key=KEY), now=NOW, key=KEY)

    assert (grant.purpose, grant.recipient, grant.object) == ("acknowledge", "a@example.com", "01J")
    assert grant.expires_at == NOW + timedelta(days=14)


@pytest.mark.parametrize("after", [timedelta(days=14), timedelta(days=15), timedelta(days=400)])
def test_an_old_link_is_refused_and_names_nobody(after: timedelta) -> None:
    token = sign("silence", "a@example.com", "01J", now=NOW, key=KEY)

    with pytest.raises(Invalid, match="14 days") as caught:
        verify(token, now=NOW + after, key=KEY)
    assert "example" not in str(caught.value)


def test_a_link_signed_with_another_key_or_changed_in_one_place_is_refused() -> None:
    token = sign("silence", "a@example.com", "01J", now=NOW, key=KEY)
    changed = [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(len(token) - 1)]

    for forged in (*changed, "", "x", "..", "\x00", sign("silence", "a", "1", now=NOW, key=b"other" * 8)):
        with pytest.raises(Invalid):
            verify(forged, now=NOW, key=KEY)
