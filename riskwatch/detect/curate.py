"""Propose names that the register lacks, from a pool of news: a person decides."""
# ruff: noqa: RUF001 - typographic marks are what is read here

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from riskwatch.detect.compiled import LanguageRules, Ruleset
from riskwatch.detect.mask import Masked, assemble, capitalised, is_headline
from riskwatch.detect.names import Names
from riskwatch.detect.patterns import compile_pattern
from riskwatch.detect.resolve import resolve, shifted
from riskwatch.model import Article

EXAMPLES = 2
MAX_NAME_WORDS = 3
NEAR_CHARS = 50  # either side of a name
_NAME_BEFORE = compile_pattern(r"»[ -]$")  # "Claude Max": the name goes on with its product
_OWNER = compile_pattern(r"«V([0-9]+)»[’']s (?:[a-z-]+ ){0,2}$", case_sensitive=True)


@dataclass(slots=True)
class Proposal:
    """A name, the articles that hold it and some of its sentences."""

    text: str
    vendor: str | None  # whose thing it seems to be; none for a company of its own
    articles: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)


def propose(articles: Iterable[Article], ruleset: Ruleset, *, least: int) -> tuple[Proposal, ...]:
    """Return names of things that vendors own, then of companies, the commonest first.

    Args:
        articles: A pool of news; articles in languages without spaces or without a pack are passed over.
        ruleset: The names that are known.
        least: Articles that must hold a name.
    """
    found: dict[tuple[str | None, str], Proposal] = {}
    for article in articles:
        language = ruleset.languages.get(article.lang.split("-")[0])
        if language is not None and language.pack.grammar.unit == "words":
            for masked in _sentences(article, ruleset, language):
                for vendor, text in _names(masked, language, ruleset):
                    made = found.setdefault((vendor, text), Proposal(text, vendor))
                    made.articles.add(article.text_key or article.guid)
                    if len(made.examples) < EXAMPLES and masked.original not in made.examples:
                        made.examples.append(masked.original)
    owned = {text for vendor, text in found if vendor is not None}
    kept = [
        made
        for (vendor, text), made in found.items()
        if len(made.articles) >= least and (vendor is not None or text not in owned)
    ]
    return tuple(sorted(kept, key=lambda p: (p.vendor is None, p.vendor or "", -len(p.articles), p.text)))


def _sentences(article: Article, ruleset: Ruleset, language: LanguageRules) -> Iterable[Masked]:
    """Yield the sentences with the known names masked; headlines in title case say nothing of names."""
    texts = {"title": article.title or "", "body": article.text}
    texts = {name: text.encode("utf-8", "replace").decode() for name, text in texts.items()}
    hits = {name: ruleset.gazetteer.find(text.encode(), text) for name, text in texts.items()}
    told = article.published_at or article.first_seen_at
    item = told.date() if told else date.max
    packs = dict.fromkeys(texts, language.pack)
    names = Names(resolve(texts, hits, item=item, packs=packs, given=article.covers))
    for name, text in texts.items():
        raw = text.encode()
        for first, last in language.splitter.spans(raw):
            start, words = len(raw[:first].decode()), raw[first:last].decode()
            tokens = names.within(name, start, start + len(words))
            inside = [shifted(t, -start) for t in tokens if t.end <= start + len(words)]
            masked = assemble(words, inside, is_narrow=language.pack.is_narrow)
            if not is_headline(masked.text):
                yield masked


def _names(masked: Masked, language: LanguageRules, ruleset: Ruleset) -> Iterable[tuple[str | None, str]]:
    pack = language.pack
    for low, high, words in capitalised(masked.text, pack):
        if words in ruleset.gazetteer.names or words.count(" ") >= MAX_NAME_WORDS or len(words) <= 1:
            continue
        before, after = masked.text[max(0, low - NEAR_CHARS) : low], masked.text[high : high + NEAR_CHARS]
        owner = _OWNER.search(before)
        if owner:
            yield masked.tokens[int(owner.group(1))].vendor, words
        elif pack.words["company_after"].hits(after) and not _NAME_BEFORE.hits(before):
            yield None, words
