"""A language compiled: lexicon, grammar and modifiers as RE2, ready for use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import re2

from riskwatch.detect.patterns import (
    QUANTITY_SLOTS,
    Expander,
    bounded,
    collect_places,
    compile_pattern,
    slots_of,
    words_pattern,
)
from riskwatch.detect.regex import Regex
from riskwatch.detect.rules import Grammar, Lexicon, Modifier, Modifiers
from riskwatch.model import Assertion

PRIMARY_MODIFIER = "pseudo.primary"
NEVER = compile_pattern(r"[^\s\S]")  # matches nothing
SAMPLE_CHARS = 400  # that tell the language of a text
_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_POSITIVE = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[1-9][0-9]*(?:\.[0-9]+)?|0\.[0-9]+"  # not a 0-day


@dataclass(frozen=True, slots=True)
class Cues:
    """Compiled words that give a name beside them a role."""

    before: Regex
    after: Regex
    unless: Regex


@dataclass(frozen=True, slots=True)
class CompiledModifier:
    """A modifier with its pattern; on_tokens when it must see masked quantities."""

    spec: Modifier
    pattern: Regex
    on_tokens: bool


@dataclass(frozen=True, slots=True)
class Assertions:
    """The modifiers of a language and how they are weighed."""

    precedence: tuple[Assertion, ...]
    terminate: Regex
    modifiers: tuple[CompiledModifier, ...]
    primary: Regex  # "according to the company": words of somebody who speaks for himself


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything of one language."""

    lang: str
    grammar: Grammar
    expander: Expander
    numbers: Mapping[str, float]
    vague: Mapping[str, float]
    assertions: Assertions
    quantities: Regex  # groups D Q M H N
    dates: tuple[Regex, ...]
    people: tuple[Regex, ...]  # group name is an unknown person
    roles: Regex
    role_codes: tuple[tuple[str, Regex], ...]
    cues: Mapping[str, Cues]
    any_cue: Cues  # of any role; most names have none
    vouching: Cues  # for a usual name
    no_unit: Cues  # beside a word of a business that is not about models
    words: Mapping[str, Regex]  # grammar patterns by name; NEVER where not given
    update_stamp: Regex  # groups month, day, year?, hour, minute, half?
    script: Regex | None  # a letter
    not_names: frozenset[str]
    not_surnames: frozenset[str]
    org_suffix: Regex
    org_suffix_only: Regex  # a suffix that nothing stands before: "Microsoft Partners With ..."
    org_suffix_word: Regex

    @property
    def is_narrow(self) -> bool:
        """Whether frames and filters read one byte a character: where words stand apart, few are lost."""
        return self.grammar.unit == "words"

    def is_written_in(self, text: str) -> bool:
        """Whether a text may be of this language, by its script."""
        return self.script is None or not text or self.script.hits(text)

    def is_chiefly_in(self, text: str) -> bool:
        """Whether over a third of the first letters are of the language's own script; names need not be."""
        if self.script is None or text.isascii():
            return False
        sample = text[:SAMPLE_CHARS]
        return sum(3 for _ in self.script.finditer(sample)) > sum(map(str.isalpha, sample))


def compile_pack(lexicon: Lexicon, modifiers: Modifiers, *, suffixes: Sequence[str] = ()) -> Pack:
    """Compile one language; raises PatternError."""
    grammar = lexicon.grammar
    expander = Expander(lexicon.macros, slots_of(grammar.person_join, grammar.person_note))
    dates = date_patterns(grammar, expander)
    return Pack(
        lang=lexicon.lang,
        grammar=grammar,
        expander=expander,
        numbers=dict(lexicon.numbers),
        vague=dict(lexicon.vague_numbers),
        assertions=_assertions(modifiers, expander),
        quantities=compile_pattern(_quantities(lexicon, dates), memory_bytes=8 << 20),
        dates=tuple(compile_pattern(pattern) for pattern in dates),
        people=tuple(expander.compile(pattern) for pattern in grammar.person_patterns),
        roles=_roles(grammar),
        role_codes=tuple(
            (
                role.code,
                compile_pattern(f"{_edge(grammar)}(?:{role.pattern}){_edge(grammar)}", is_longest=True),
            )
            for role in grammar.roles
        ),
        cues={name: _cues(cue.before, cue.after, cue.unless) for name, cue in grammar.cues.items()},
        any_cue=_any_cue(grammar),
        vouching=_cues(grammar.vouching.before, grammar.vouching.after, grammar.vouching.unless),
        no_unit=_cues(grammar.no_unit.before, grammar.no_unit.after, grammar.no_unit.unless),
        words=_grammar_words(grammar),
        update_stamp=_stamp(grammar, expander),
        script=compile_pattern(grammar.script) if grammar.script else None,
        not_names=frozenset(word.lower() for name in grammar.not_names for word in name.split()),
        not_surnames=frozenset(name.lower() for name in grammar.not_surnames),
        org_suffix=_suffix(suffixes, tail=r"\.?$"),
        org_suffix_only=_suffix(suffixes, head="^", tail=r"\.?$"),
        org_suffix_word=_suffix(suffixes, tail=""),
    )


def _edge(grammar: Grammar) -> str:
    return r"\b" if grammar.unit == "words" else ""


def _cues(before: str | None, after: str | None, unless: str | None) -> Cues:
    return Cues(
        before=compile_pattern(f"(?:{before})$") if before else NEVER,
        after=compile_pattern(f"^(?:{after})") if after else NEVER,
        unless=compile_pattern(f"(?:{unless})$") if unless else NEVER,
    )


def _any_cue(grammar: Grammar) -> Cues:
    before = "|".join(f"(?:{cue.before})" for cue in grammar.cues.values() if cue.before)
    after = "|".join(f"(?:{cue.after})" for cue in grammar.cues.values() if cue.after)
    return Cues(
        before=compile_pattern(f"(?:{before})$", memory_bytes=8 << 20) if before else NEVER,
        after=compile_pattern(f"^(?:{after})", memory_bytes=8 << 20) if after else NEVER,
        unless=NEVER,
    )


def _grammar_words(grammar: Grammar) -> dict[str, Regex]:
    owner = f"(?:{grammar.possessive})" if grammar.possessive else ""
    return {
        "owner_before": compile_pattern(f"«V[0-9]+»{owner or ' '} ?(?:[a-z-]+ )?$", case_sensitive=True),
        "role_after": compile_pattern(
            rf"^(?:, (?:[^«»;.]|«[VO][0-9]+»){{0,40}}| \([^)«]{{0,20}}|, «[VO][0-9]+»{owner}? (?:[a-z-]+ )?)"
            "«R[0-9]+»"
        ),
        "possessive_end": _anchored(grammar.possessive, tail="$"),
        "anaphor": _word(grammar.anaphor),
        "from_prep": _anchored(grammar.from_prep, tail=" ?$"),
        "post_prep": _anchored(grammar.post_prep, head="^ ?", tail=" ?$"),
        "direct": _anchored(grammar.direct, head="^", tail=" ?$"),
        "list_join": _anchored(grammar.list_join, head="^", tail="$"),
        "clause_cut": _anchored(grammar.clause_cut),
        "possessive": _anchored(grammar.possessive, head="^"),
        "self_speech": _word(grammar.self_speech),
        "credit": _anchored(grammar.credit),
        "byline": _anchored(grammar.byline),
        "retelling": _anchored(grammar.retelling),
        "detaches": _anchored(grammar.detaches),
        "presupposes": _anchored(grammar.presupposes, tail="$"),
        "fresh": _word(grammar.fresh),
        "counted": _anchored(grammar.counted, head="^", tail=r"\b"),
        "out_of": _anchored(grammar.out_of, tail=" $"),
        "joins": _anchored(grammar.joins, tail=" $"),
        "month": _word(grammar.month),
        "tense": _tense(grammar),
        "approx": _anchored(grammar.approx, head=r"(?:^|\W)", tail=" ?$"),
        "horizon": _word(grammar.horizon),
        "party": _word(grammar.party),
        "agent": _anchored(grammar.agent, tail="$"),
        "no_party": _anchored(grammar.no_party, tail="$"),
        "own_case": _anchored(grammar.own_case, head="^"),
        "jurisdiction": _word(grammar.jurisdiction),
        "planned": _word(grammar.planned),
        "board_seat": _anchored(grammar.board_seat, head="^", tail=_edge(grammar)),
        "of_models": _anchored(grammar.of_models),
        "scene": _anchored(grammar.scene, tail="$"),
        "market_index": _word(grammar.market_index),
        "person_verbs": _anchored(grammar.person_verbs, head="^,? ?", tail=r"\b"),
        "own_words": _anchored(grammar.own_words, tail="$"),
        "company_words": _word(grammar.company_words),
        "company_after": _anchored(grammar.company_after, head="^"),
        "percent_before": _anchored(grammar.percent_before, head="^"),
        "person_after": _anchored(grammar.person_after),
        "person_before": _anchored(grammar.person_before),
        "honorifics": _anchored(grammar.honorifics, head=r"\b", tail=r"\.? $"),
        "former": _anchored(grammar.former, head=_edge(grammar), tail=r"[ -]?$"),
        "person_join": _anchored(grammar.person_join, head="^", tail="$"),
        "boilerplate_line": _anchored(grammar.boilerplate_line),
        "boilerplate_tail": _anchored(grammar.boilerplate_tail),
        "bullet": _anchored(grammar.bullet),
        "weekday_next": _word(grammar.weekday_next),
    }


def _tense(grammar: Grammar) -> Regex:
    """Return what finds the words of the future, in group ahead, and those of the past."""
    if not (grammar.ahead and grammar.past):
        return NEVER
    edge = _edge(grammar)
    return compile_pattern(f"{edge}(?:(?P<ahead>{grammar.ahead})|(?:{grammar.past})){edge}")


def _word(pattern: str | None) -> Regex:
    if not pattern:
        return NEVER
    edge = r"\b" if pattern.isascii() else ""
    return compile_pattern(f"{edge}(?:{pattern}){edge}")


def _anchored(pattern: str | None, *, head: str = "", tail: str = "") -> Regex:
    return compile_pattern(f"{head}(?:{pattern}){tail}") if pattern else NEVER


def date_patterns(grammar: Grammar, expander: Expander) -> tuple[str, ...]:
    """Return the date patterns with month, weekday and relative words filled in."""
    fill = _date_words(grammar, expander)
    return tuple(fill.expand(pattern) for pattern in grammar.date_patterns)


def _date_words(grammar: Grammar, expander: Expander) -> Expander:
    return Expander(
        {
            "month": words_pattern(grammar.months) or r"[^\s\S]",
            "weekday": words_pattern(grammar.weekdays) or r"[^\s\S]",
            "relative": words_pattern(grammar.relative_days) or r"[^\s\S]",
            **expander.macros,
        },
        {},
    )


def _stamp(grammar: Grammar, expander: Expander) -> Regex:
    if not grammar.update_stamp:
        return NEVER
    return compile_pattern(_date_words(grammar, expander).expand(grammar.update_stamp))


def _unnamed(pattern: str) -> str:
    # the groups of the single patterns would clash inside one alternation
    return str(re2.sub(r"\(\?P<[a-z_]+>", "(?:", pattern))


def _quantities(lexicon: Lexicon, dates: Sequence[str]) -> str:
    grammar = lexicon.grammar
    edge = _edge(grammar)
    signs_of_numbers = f"[{''.join(grammar.numerals)}]+" if grammar.numerals else ""
    spoken = words_pattern((*lexicon.numbers, *lexicon.vague_numbers))
    scale = words_pattern(grammar.scales)
    scaled = rf"(?: ?-?(?:{scale}){edge})?" if scale else ""
    built = f"|{signs_of_numbers}" if signs_of_numbers else ""
    others = f"{f'|{edge}(?:{spoken}){edge}' if spoken else ''}{built}"
    number = f"(?:{_NUMBER}{others})"
    units = words_pattern(grammar.duration_hours)
    signs = words_pattern(sign for sign in grammar.currencies if not sign[-1].isalpha())
    money_words = words_pattern(word for word in grammar.currencies if word[-1].isalpha())
    parts = {
        "D": "|".join(_unnamed(pattern) for pattern in dates),
        "Q": "|".join(
            part
            for part in (
                f"{number}[ -]?(?:{grammar.percent})" if grammar.percent else "",
                f"(?:{grammar.percent_before}){number}" if grammar.percent_before else "",
            )
            if part
        ),
        "M": "|".join(
            part
            for part in (
                rf"(?:{signs}) ?(?:{_NUMBER}){scaled}" if signs else "",
                rf"{number}{scaled}[ -]?(?:{money_words}){edge}" if money_words else "",
            )
            if part
        ),
        "H": rf"(?:{_POSITIVE}{others})[ -]?(?:{units}){edge}" if units else "",
        "N": rf"(?:{_NUMBER}){scaled}\+?|{edge}(?:{spoken}){edge}{scaled}"
        if spoken
        else rf"(?:{_NUMBER}){scaled}\+?",
    }
    if built and grammar.counter:
        parts["N"] += f"|{signs_of_numbers}{scaled}(?:{grammar.counter})"
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in parts.items() if pattern)


def _roles(grammar: Grammar) -> Regex:
    if not grammar.roles:
        return NEVER
    posts = "|".join(role.pattern for role in grammar.roles)
    edge = _edge(grammar)
    head = rf"(?:{edge}(?:{grammar.role_head})[ -]{'' if edge else '?'})*" if grammar.role_head else ""
    # a tail is read only in lower case: "head of post-training", not "CEO of Acme"
    tail = f"(?: (?-i:{grammar.role_tail}))?" if grammar.role_tail else ""
    pattern = f"{head}{edge}(?:{posts}){edge}{tail}"
    # "chief AI developer" is not "chief"
    return compile_pattern(pattern, memory_bytes=8 << 20, is_longest=True)


def _suffix(suffixes: Sequence[str], *, tail: str, head: str = "") -> Regex:
    if not suffixes:
        return NEVER
    return compile_pattern(
        f"{head}(?:{'|'.join(bounded(suffix) for suffix in suffixes)}){tail}", case_sensitive=True
    )


def _assertions(modifiers: Modifiers, expander: Expander) -> Assertions:
    patterns = [expander.expand(modifier.pattern) for modifier in modifiers.modifiers]
    return Assertions(
        precedence=modifiers.precedence,
        terminate=expander.compile(modifiers.terminate),
        modifiers=tuple(
            CompiledModifier(
                modifier,
                compile_pattern(pattern),
                on_tokens=any(place in QUANTITY_SLOTS for place in collect_places(modifier.pattern)),
            )
            for modifier, pattern in zip(modifiers.modifiers, patterns, strict=True)
        ),
        primary=next(
            (
                compile_pattern(pattern)
                for modifier, pattern in zip(modifiers.modifiers, patterns, strict=True)
                if modifier.id == PRIMARY_MODIFIER
            ),
            NEVER,
        ),
    )
