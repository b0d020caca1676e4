"""One canonical form of a link, so that the same page has the same key; idempotent."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

_TRACKERS = frozenset(
    [
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "twclid",
        "ttclid",
        "igshid",
        "igsh",
        "mc_cid",
        "mc_eid",
        "_hsenc",
        "_hsmi",
        "mkt_tok",
        "vero_id",
        "oly_anon_id",
        "oly_enc_id",
        "wickedid",
        "cmpid",
        "ocid",
        "ncid",
        "smid",
        "ref_src",
        "ref_url",
        "guccounter",
        "guce_referrer",
        "guce_referrer_sig",
        "spm",
        "scm",
        "at_medium",
        "at_campaign",
        "sr_share",
        "share_token",
        "s_cid",
        "ftag",
        "taid",
        "__twitter_impression",
        "xtor",
        "ns_campaign",
    ]
)
_TRACKER_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_", "wt_", "trk_")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE_PATH = "/:@!$&'()*+,;=-._~"
_MAX_LINK_CHARS = 2_048
_MAX_FIELDS = 100
_PLAIN_QUERY = str.maketrans("", "", "-_.~=&")
_WORDY = str.maketrans("", "", "/-_.")


def canonical(url: str | None, *, base: str | None = None) -> str | None:
    """Return the canonical http(s) link, or none where the text is no such link.

    Scheme and host in lower case, host as IDNA; default port, fragment, user and trackers off; dot segments
    resolved; query sorted.

    Args:
        url: Link as found.
        base: URL that a relative link is read against.
    """
    url = url or ""
    if not url.isascii():
        url = url.encode("utf-8", "replace").decode("utf-8")
    url = "".join(url.split()).strip("\x00")
    if not url or len(url) > _MAX_LINK_CHARS:
        return None
    if base and "://" not in url[:12]:
        try:
            url = urljoin(base, url)
        except ValueError:
            return None
    scheme, _, rest = url.partition("://")
    rest, _, query = rest.partition("#")[0].partition("?")
    netloc, _, path = rest.partition("/")
    origin = _origin(scheme, netloc)
    if origin is None:
        return None
    link = f"{origin}{_path('/' + path)}"
    query = _query(query) if query else ""
    return f"{link}?{query}" if query else link


def host_of(url: str | None) -> str | None:
    """Return the host of a link in lower case, or none."""
    link = canonical(url)
    return urlsplit(link).hostname if link else None


@lru_cache(maxsize=4_096)
def _origin(scheme: str, netloc: str) -> str | None:
    """Return scheme and authority in canonical form, or none where they are no http(s) address."""
    try:
        parts = urlsplit(f"{scheme.lower()}://{netloc}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    return (
        f"{parts.scheme}://{host}"
        if port in (None, _DEFAULT_PORTS[parts.scheme])
        else f"{parts.scheme}://{host}:{port}"
    )


def _host(host: str) -> str | None:
    host = host.rstrip(".")
    if ":" in host:  # IPv6 literal
        return f"[{host}]"
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
    return host if host and not set(host) & set(' <>"\\^`{|}%/?#@') else None


def _path(path: str) -> str:
    if not path:
        return "/"
    if "/." in path:
        path = _without_dots(path)
    if path.isascii() and path.translate(_WORDY).isalnum():
        return path
    if _is_plain(path):
        path = quote(unquote(path, errors="surrogateescape"), safe=_SAFE_PATH, errors="surrogateescape")
    return _without_dots(path) if "/." in path else path


def _is_plain(path: str) -> bool:
    """Return whether unquoting loses nothing: no escaped sign that has a meaning when it stands bare."""
    lowered = path.lower()
    return not any(code in lowered for code in ("%2f", "%25", "%3f", "%23", "%3b", "%00"))


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments[1:] if path.startswith("/") else segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


@lru_cache(maxsize=4_096)  # the trackers of one site are the same on all its links
def _query(query: str) -> str:
    if query.isascii() and query.translate(_PLAIN_QUERY).isalnum():
        fields = sorted(
            (key, value) for key, _, value in (field.partition("=") for field in query.split("&") if field)
        )
        return "&".join(f"{key}={value}" for key, value in fields if not _is_tracker(key))
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return query
    kept = sorted((key, value) for key, value in pairs if not _is_tracker(key))
    return urlencode(kept, errors="surrogateescape")


@lru_cache(maxsize=4_096)
def _is_tracker(key: str) -> bool:
    lowered = key.lower()
    return lowered in _TRACKERS or lowered.startswith(_TRACKER_PREFIXES)
