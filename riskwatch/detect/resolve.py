"""Decide which hits of the gazetteer are the company, line or person that they look like."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from riskwatch.detect.gazetteer import Hit, Known
from riskwatch.detect.mask import Token
from riskwatch.detect.names import Names, Placed
from riskwatch.detect.packs import Pack
from riskwatch.model import Person

GRACE_DAYS = 30  # after a person's last day
CONTEXT_CHARS = 200  # either side, at most one sentence
CONTEXT_THRESHOLD = 2
LIST_CHARS = 12  # between two names of one list
DEAL_CHARS = 90  # between two vendors that deal with each other
NEAR_CHARS = 200  # either side of a name: all that can stand in a list or deal with it
VOUCHING_CHARS = 50  # either side of a usual name
DEALING_ROLES = ("destination", "taker", "plaintiff")
TITLE_WEIGHT = 3


@dataclass(frozen=True, slots=True)
class _Document:
    """What the whole article says in favour of a doubtful name."""

    text: str  # title and body
    vouched: frozenset[str]
    item: date
    contexts: dict[int, frozenset[str]] = field(default_factory=dict)  # of each alias, its words in the text

    def context(self, known: Known) -> frozenset[str]:
        """Return the context words of an alias that stand anywhere in the article."""
        key = id(known)
        if key not in self.contexts and known.context is not None:
            self.contexts[key] = frozenset(m.group().lower() for m in known.context.finditer(self.text))
        return self.contexts.get(key, frozenset())


def resolve(
    texts: Mapping[str, str],
    hits: Mapping[str, Sequence[Hit]],
    *,
    item: date,
    packs: Mapping[str, Pack],
    given: Iterable[str] = (),
) -> tuple[Placed, ...]:
    """Return the names that stand for somebody, in order of field and place.

    Args:
        texts: Field -> its text.
        hits: Field -> names found in it.
        item: The item's date; aliases and people outside their time do not count.
        packs: Field -> its language; none where it is unknown: then no family name and no list is read.
        given: Vendors that the article is known to be about.
    """
    document = _Document("\n".join(texts.values()), _vouched(hits, item) | frozenset(given), item)
    placed: list[Placed] = []
    doubtful: list[tuple[str, Hit]] = []
    for name, found in hits.items():
        for hit in found:
            token = _token(hit, texts[name], document, pack=packs.get(name))
            if token is None:
                doubtful.append((name, hit))
            else:
                placed.append(Placed(name, token))
    if packs:
        placed += _of_lists(doubtful, placed, texts, item=item, packs=packs) if doubtful else ()
        placed += _family_names(texts, placed, hits=hits, packs=packs)
    placed = _shortened(placed)
    return tuple(sorted(placed, key=lambda entry: (entry.field != "title", entry.token.start)))


def _shortened(placed: Sequence[Placed]) -> list[Placed]:
    """Let a product's short name mean the product that the article calls in full by another vendor's name.

    "Copilot" is GitHub's where "GitHub Copilot" is named and no other "... Copilot" is.
    """
    in_full: dict[str, list[Token]] = defaultdict(list)
    for _, token in placed:
        if token.kind == "V" and (token.line is not None or token.is_product):
            words = token.name.split(" ")
            for first in range(1, len(words)):
                in_full[" ".join(words[first:])].append(token)
    return [Placed(name, _meaning(token, in_full.get(token.name, ()))) for name, token in placed]


def _meaning(token: Token, in_full: Sequence[Token]) -> Token:
    owners = {one.vendor for one in in_full}
    if token.kind != "V" or (token.line is None and not token.is_product) or len(owners) != 1:
        return token
    meant = in_full[0]
    return token._replace(vendor=meant.vendor, line=meant.line, is_product=meant.is_product)


def _vouched(hits: Mapping[str, Sequence[Hit]], item: date) -> frozenset[str]:
    """Return vendors that the document names without ambiguity, or by one of their people."""
    return frozenset(
        known.vendor
        for found in hits.values()
        for hit in found
        for known in hit.known
        if known.vendor is not None
        and (
            known.kind == "P"
            or (known.alias is not None and not known.alias.ambiguous and _in_time(known, item))
        )
    )


def _token(hit: Hit, text: str, document: _Document, *, pack: Pack | None) -> Token | None:
    for known in hit.known:
        fits = known.kind == "V" and _fits(known, hit, text, document.item)
        if fits and _is_certain(known, hit, text, document, pack=pack):
            return _vendor_token(hit, known)
    posts = tuple((k.vendor, k.person) for k in hit.known if k.vendor is not None and k.person is not None)
    if posts:
        return Token("P", hit.start, hit.end, hit.text, posts=posts, name=posts[0][1].name)
    if hit.known[0].kind == "O":
        return Token("O", hit.start, hit.end, hit.text, name=hit.known[0].text)
    return None


def _vendor_token(hit: Hit, known: Known) -> Token:
    return Token(
        "V",
        hit.start,
        hit.end,
        hit.text,
        vendor=known.vendor,
        line=known.line,
        is_product=known.is_product,
        name=hit.text,
    )


def _fits(known: Known, hit: Hit, text: str, item: date) -> bool:
    if not _in_time(known, item):
        return False
    after = text[hit.start + len(known.text) : hit.end + 40]
    if known.needs is not None and not known.needs.hits(after):
        return False
    return known.not_before is None or not known.not_before.hits(after)


def _in_time(known: Known, item: date) -> bool:
    if known.alias is None or (known.alias.valid_from is None and known.alias.valid_to is None):
        return True
    return within(known.alias.valid_from, known.alias.valid_to, item)


def within(first: str | None, last: str | None, item: date, *, grace_days: int = 0) -> bool:
    """Whether the date lies between two written as YYYY, YYYY-MM or YYYY-MM-DD; both ends count whole."""
    written = item.isoformat()
    if first is not None and written[: len(first)] < first:
        return False
    if last is None:
        return True
    return (item - timedelta(days=grace_days)).isoformat()[: len(last)] <= last


def is_employed(person: Person, item: date) -> bool:
    """Whether the person belongs to the vendor at the date, with a month of grace."""
    return within(person.valid_from, person.valid_to, item, grace_days=GRACE_DAYS)


def _is_certain(known: Known, hit: Hit, text: str, document: _Document, *, pack: Pack | None) -> bool:
    if known.alias is None or not known.alias.ambiguous or known.vendor in document.vouched:
        return True
    if known.alias.usual and _is_vouched(hit, text, pack):
        return True
    if known.context is None:
        return False
    before, after = (
        text[max(0, hit.start - CONTEXT_CHARS) : hit.start],
        text[hit.end : hit.end + CONTEXT_CHARS],
    )
    before, after = before[_last_end(before) :], after[: _first_end(after)]
    if known.context.hits(before) or known.context.hits(after) or _is_business(f"{before} {after}", pack):
        return True
    return len(document.context(known) - {hit.text.lower()}) >= CONTEXT_THRESHOLD


def _is_vouched(hit: Hit, text: str, pack: Pack | None) -> bool:
    """Whether the words right beside the name are said of companies and their products."""
    if pack is None:
        return False
    before, after = text[max(0, hit.start - VOUCHING_CHARS) : hit.start], text[hit.end :][:VOUCHING_CHARS]
    return pack.vouching.after.hits(after) or (
        pack.vouching.before.hits(before) and not pack.vouching.unless.hits(before)
    )


def _is_business(sentence: str, pack: Pack | None) -> bool:
    """Whether two different words of business or technology stand around the name."""
    if pack is None:
        return False
    words = {match.group().lower() for match in pack.words["company_words"].finditer(sentence)}
    return len(words) >= CONTEXT_THRESHOLD


def _last_end(text: str) -> int:
    return max(text.rfind(mark) for mark in ("\n", ". ", "! ", "? ", "。")) + 1


def _first_end(text: str) -> int:
    ends = [at for at in (text.find(mark) for mark in ("\n", ". ", "! ", "? ", "。")) if at >= 0]
    return min(ends, default=len(text))


def _of_lists(
    doubtful: Sequence[tuple[str, Hit]],
    placed: Sequence[Placed],
    texts: Mapping[str, str],
    *,
    item: date,
    packs: Mapping[str, Pack],
) -> list[Placed]:
    """Accept a doubtful name that stands in one list with a certain one ("Google, Meta and Apple")."""
    certain = Names(placed)
    accepted: dict[tuple[str, int], Token] = {}
    starts: dict[str, list[int]] = defaultdict(list)  # of the accepted ones, in order
    meant = [(name, hit, _meant(hit, texts[name], item)) for name, hit in doubtful]
    pairs = _peers(meant, texts, packs)
    for name, hit, known in [*meant, *reversed(meant)]:
        if known is None or (name, hit.start) in accepted:
            continue
        text, at, pack = texts[name], starts[name], packs[name]
        low, high = hit.start - NEAR_CHARS, hit.end + NEAR_CHARS
        beside = [accepted[name, start] for start in at[bisect_left(at, low) : bisect_left(at, high)]]
        near = [token for token in (*certain.within(name, low, high), *beside) if token.kind == "V"]
        others = [t for t in near if t.vendor != known.vendor and abs(t.start - hit.start) <= DEAL_CHARS]
        listed = (name, hit.start) in pairs or any(_listed(hit, token, text, pack) for token in near)
        if listed or (others and (_dealing(hit, text, pack) or _stands_beside(hit, others, text, pack))):
            accepted[name, hit.start] = _vendor_token(hit, known)
            insort(at, hit.start)
    return [Placed(name, token) for (name, _), token in accepted.items()]


def _meant(hit: Hit, text: str, item: date) -> Known | None:
    """Return the vendor's name that a doubtful hit would be."""
    return next((known for known in hit.known if known.kind == "V" and _fits(known, hit, text, item)), None)


def _peers(
    meant: Sequence[tuple[str, Hit, Known | None]], texts: Mapping[str, str], packs: Mapping[str, Pack]
) -> set[tuple[str, int]]:
    """Return the doubtful names that vouch for one another: two vendors side by side in a list."""
    found: set[tuple[str, int]] = set()
    for (name, hit, known), (field_, other, its) in pairwise(meant):
        if known is None or its is None or name != field_ or known.vendor == its.vendor:
            continue
        if _listed(hit, other, texts[name], packs[name]):
            found |= {(name, hit.start), (name, other.start)}
    return found


def _listed(hit: Hit, token: Token | Hit, text: str, pack: Pack) -> bool:
    low, high = (token.end, hit.start) if token.end <= hit.start else (hit.end, token.start)
    return 0 < high - low <= LIST_CHARS and pack.words["list_join"].hits(text[low:high])


def _stands_beside(hit: Hit, others: Sequence[Token], text: str, pack: Pack) -> bool:
    """Whether another vendor stands in the same sentence and the name does not go on as somebody else's."""
    following = text[hit.end : hit.end + 2]
    owner = pack.words["possessive"].search(text[hit.end : hit.end + 3])
    if any(hit.start - t.end in (0, 1) for t in others):
        return False  # "Copilot Cowork"
    if following[:1].isalnum() or (following[:1] in " -" and following[1:2].isupper() and owner is None):
        return False
    between = (text[min(t.end, hit.end) : max(t.start, hit.start)] for t in others)
    return any(_last_end(words) == 0 for words in between)


def _dealing(hit: Hit, text: str, pack: Pack) -> bool:
    """Whether the words beside the name make it take part in something ("left Alibaba for Meta")."""
    before, after = text[max(0, hit.start - DEAL_CHARS) : hit.start], text[hit.end : hit.end + DEAL_CHARS]
    return any(
        name in pack.cues and (pack.cues[name].before.hits(before) or pack.cues[name].after.hits(after))
        for name in DEALING_ROLES
    )


def _family_names(
    texts: Mapping[str, str],
    placed: Sequence[Placed],
    *,
    hits: Mapping[str, Sequence[Hit]],
    packs: Mapping[str, Pack],
) -> list[Placed]:
    """After a full mention the family name alone is that person, if unique and no common word."""
    people = {entry.token.name: entry.token.posts for entry in placed if entry.token.posts}
    families = Counter(posts[0][1].family for posts in people.values())
    found: list[Placed] = []
    for name, posts in people.items():
        family = posts[0][1].family
        if families[family] > 1 or not family:
            continue
        found += [
            Placed(name_of_field, Token("P", at, at + len(family), family, posts=posts, name=name))
            for name_of_field, text in texts.items()
            if family.lower() not in packs[name_of_field].not_surnames
            for at in _alone(text, family, hits[name_of_field], packs[name_of_field])
        ]
    return found


def _alone(text: str, family: str, taken: Sequence[Hit], pack: Pack) -> Iterable[int]:
    at = text.find(family)
    while at >= 0:
        end = at + len(family)
        # hits are in order and do not overlap: the last one before the end is the only one that may
        number = bisect_left(taken, end, key=_start) - 1
        is_free = number < 0 or taken[number].end <= at
        if is_free and _stands_alone(text, at, end, pack):
            yield at
        at = text.find(family, end)


def _start(hit: Hit) -> int:
    return hit.start


def _stands_alone(text: str, start: int, end: int, pack: Pack) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if not text[start].isascii() and not text[start].isupper():
        return True  # no case and no spaces to go by
    if before.isalnum() or after.isalnum() or before == "-" or after == "-":
        return False
    previous = text[max(0, start - 30) : start].rstrip(" ").rsplit(" ", 1)
    word = previous[-1] if before == " " else ""
    is_first = len(previous) == 1 or previous[0].rstrip().endswith((".", "!", "?", ":", "\n"))
    if word[:1].isupper() and word[-1:].isalpha() and not is_first and word.lower() not in pack.not_names:
        return False
    following = text[end + 1 : end + 30].split(" ", 1)[0] if after == " " else ""
    return not (
        following[:1].isupper() and following[1:].islower() and following.lower() not in pack.not_names
    )


def focus_of(
    names: Names, *, spans: Sequence[tuple[int, int]], with_title: bool
) -> tuple[str | None, Counter[str]]:
    """Return the vendor that a segment is about and the number of mentions of each vendor."""
    mentions: Counter[str] = Counter()
    mentions.update(
        token.vendor
        for low, high in spans
        for token in names.within("body", low, high)
        if token.kind == "V" and token.vendor is not None
    )
    weights = mentions.copy()
    for token in names.of("title") if with_title else ():
        if token.kind == "V" and token.vendor is not None:
            mentions[token.vendor] += 1
            weights[token.vendor] += TITLE_WEIGHT
    if not weights:
        return None, mentions
    best = min(weights.items(), key=lambda pair: (-pair[1], pair[0]))[0]
    return best, mentions


def shifted(token: Token, by: int) -> Token:
    """Return the token with offsets moved, for a sentence that begins at -by."""
    kind, start, end, text, vendor, line, is_product, posts, name, role_code = token
    return Token(kind, start + by, end + by, text, vendor, line, is_product, posts, name, role_code)
