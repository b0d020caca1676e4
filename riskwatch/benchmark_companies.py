"""Texts of an outside benchmark → the companies that they name, which stand in for our vendors."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from riskwatch.detect.mask import capitalised, is_headline, mask
from riskwatch.model import Vendor

if TYPE_CHECKING:
    from riskwatch.detect import Ruleset

MOSTLY = 5  # a name that one in five times is a person's is no company
MAX_ABBREVIATION = 5
ABBREVIATED_SUFFIXES = (" Inc", " Corp", " Co", " Ltd")
OPENING = " \"'\u201c\u2018("
NO_COMPANIES = frozenset((*calendar.day_name, *calendar.month_name))
NO_COMPANY_ENDS = ("-based", "-related", "-owned", "-backed", " Index", " Average")

# SENTiVENT's articles were gathered by these companies; a service has those that it watches in a register
REGISTER: Mapping[str, tuple[str, ...]] = {
    "American Airlines": ("American Airlines Group", "AAL"),
    "Apple": ("AAPL",),
    "AbbVie": ("ABBV",),
    "AMD": ("Advanced Micro Devices", "Advanced Micro"),
    "Amazon": ("AMZN",),
    "Boeing": ("Boeing Co",),
    "Bank of America": ("BofA", "BAC"),
    "Celgene": ("CELG",),
    "Chesapeake Energy": ("Chesapeake", "CHK"),
    "Chipotle": ("Chipotle Mexican Grill", "CMG"),
    "Costco": ("Costco Wholesale",),
    "Chevron": ("CVX",),
    "Disney": ("Walt Disney",),
    "Duke Energy": ("Duke", "DUK"),
    "Ford": ("Ford Motor",),
    "Facebook": ("FB",),
    "21st Century Fox": ("Twenty-First Century Fox", "Fox", "FOXA"),
    "General Electric": ("GE",),
    "General Motors": ("GM",),
    "Google": ("Alphabet", "GOOG", "GOOGL"),
    "Goldman Sachs": ("Goldman",),
    "Johnson & Johnson": ("J&J", "J & J", "JNJ"),
    "Kinder Morgan": ("KMI",),
    "Microsoft": ("MSFT",),
    "Newmont Mining": ("Newmont", "NEM"),
    "Netflix": ("NFLX",),
    "Procter & Gamble": ("P&G", "P & G"),
    "AT&T": ("AT & T",),
    "Wells Fargo": ("WFC",),
    "Walmart": ("Wal-Mart", "WMT"),
}


def named(texts: Sequence[str], ruleset: Ruleset) -> dict[str, Vendor]:
    """Return every capitalised name of the texts that is hardly a person's as a vendor, by id.

    A word that the texts write small more often than not, such as one that only opens sentences, is none.

    Args:
        texts: Sentences.
        ruleset: Its English pack tells names from other capitals.
    """
    companies, persons = _counted(texts, ruleset)
    plain = Counter(word.strip(",.;:()") for text in texts for word in text.split() if word[:1].islower())
    registered = {name for entry in REGISTER.items() for name in (entry[0], *entry[1])}
    found = sorted(
        name
        for name, count in companies.items()
        if count > MOSTLY * persons[name]
        and plain[name.lower()] < count
        and name not in registered
        and not _is_no_company(name)
    )
    entries = [(name, [name, *others]) for name, others in REGISTER.items()] + [(n, [n]) for n in found]
    return {
        id_: Vendor.model_validate({"id": id_, "name": name, "names": [*names, *_dotted(names)]})
        for id_, (name, names) in ((f"company-{number}", entry) for number, entry in enumerate(entries))
    }


def _counted(texts: Sequence[str], ruleset: Ruleset) -> tuple[Counter[str], Counter[str]]:
    """Return how often each name looks like a company's and like a person's."""
    pack = ruleset.languages["en"].pack
    companies, persons = Counter[str](), Counter[str]()
    for text in texts:
        masked = mask(text, (), pack=pack)
        for token in masked.tokens:
            if token.kind == "O":
                companies[token.name] += 1
            elif token.kind == "P":
                persons.update({token.name, token.name.split()[-1]})
        if not is_headline(masked.text):
            spans = capitalised(masked.text, pack)
            companies.update(words for low, _high, words in spans if masked.text[:low].strip(OPENING))
            companies.update(_abbreviated(masked.text))
    return companies, persons


def _is_no_company(name: str) -> bool:
    return name in NO_COMPANIES or len(name) == 1 or "'s " in name or name.endswith(NO_COMPANY_ENDS)


def _dotted(names: Sequence[str]) -> list[str]:
    return [f"{name}." for name in names if name.endswith(ABBREVIATED_SUFFIXES)]


def _abbreviated(text: str) -> Iterator[str]:
    """Give the names in capitals that own or trade something ("GM's", "AMD stock")."""
    words = text.split()
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name = word.removesuffix("'s")
        if 1 < len(name) <= MAX_ABBREVIATION and name.isalpha() and name.isupper():
            owns = name != word or following.rstrip(".,") in ("stock", "shares", "Inc", "Corp")
            yield from [name] if owns else []
