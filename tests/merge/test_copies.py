from riskwatch.merge.copies import containment, sketch
from riskwatch.model import ArticleBrief, Event, Signal
from tests.merge.makers import a_brief, a_signal, events_of, merged

STORY = " ".join(f"word{i} told{i % 7} by{i % 11}" for i in range(120))
OTHER = " ".join(f"else{i} said{i % 5} by{i % 11}" for i in range(120))


def _two(left: Signal, right: Signal, **more: object) -> Event:
    briefs: dict[str, ArticleBrief] = {left.article_id: a_brief(left, sketch=sketch(None, STORY))}
    briefs[right.article_id] = a_brief(right, **more)
    (event,) = events_of([left, right], briefs=briefs)
    return event


def _pair(days: float = 1) -> tuple[Signal, Signal]:
    first = a_signal("a", person="Dana Ortiz", tier="3")
    return first, a_signal("b", at=1 + days, person="Dana Ortiz", tier="1")


def test_a_sketch_holds_at_most_128_ascending_hashes() -> None:
    made = sketch("title", STORY)

    assert len(made) == 128
    assert list(made) == sorted(set(made))


def test_a_text_without_spaces_is_sketched_by_characters() -> None:
    made = sketch(None, "阿里巴巴通义千问负责人林俊旸宣布离职")

    assert len(made) == 15


def test_an_empty_text_is_sketched_by_its_title() -> None:
    assert sketch("one two three four", "") == sketch(None, "one two three four") != ()
    assert sketch(None, "") == ()


def test_a_truncated_copy_is_contained_in_its_original() -> None:
    half = " ".join(STORY.split()[:150])

    assert containment(sketch(None, STORY), sketch(None, half)) > 0.9
    assert containment(sketch(None, STORY), sketch(None, OTHER)) == 0.0
    assert containment((), (1, 2)) == 0.0


def test_a_reworded_copy_adds_no_voice_and_has_the_tier_of_its_original() -> None:
    reworded = STORY.replace("word50 ", "phrase ") + " Read more on our site."

    event = _two(*_pair(), sketch=sketch(None, reworded))

    assert event.corroboration == 1
    assert {(c.family, c.tier) for c in event.claims} == {("a", "3")}


def test_an_article_of_its_own_is_a_second_voice() -> None:
    assert _two(*_pair(), sketch=sketch(None, OTHER)).corroboration == 2


def test_the_same_text_eight_days_later_is_no_copy() -> None:
    assert _two(*_pair(days=8), sketch=sketch(None, STORY)).corroboration == 2


def test_an_exact_copy_is_known_by_its_text_key() -> None:
    left, _ = _pair()
    same = a_signal("b", at=2, person="Dana Ortiz", text_key="a")
    silent = a_signal("b", at=2, person="Dana Ortiz", text_key="")

    assert _two(left, same).corroboration == 1
    assert _two(left, silent, text_key="a").corroboration == 1


def test_an_explicit_credit_gives_the_voice_to_the_origin() -> None:
    event = _two(*_pair(), sketch=sketch(None, OTHER), credited_family="a")

    assert event.corroboration == 1


def test_a_claim_credited_to_one_outlet_is_that_outlet_s() -> None:
    left = a_signal("a", person="Dana Ortiz", family="bloomberg")
    right = a_signal("b", at=2, person="Dana Ortiz", cited_family="bloomberg")

    (event,) = events_of([left, right])

    assert [c.family for c in event.claims] == ["bloomberg", "bloomberg"]


def test_a_second_article_of_a_family_adds_no_voice() -> None:
    told = [a_signal(name, person="Dana Ortiz", family="one") for name in "ab"]

    (event,) = events_of(told)

    assert (event.corroboration, len(event.claims)) == (1, 2)


def test_an_article_without_a_brief_speaks_for_its_own_family() -> None:
    (event,) = events_of([a_signal("a", person="Dana Ortiz")], briefs={})

    assert event.claims[0].family == "a"


def test_whose_voice_a_copy_is_never_hangs_on_the_types_that_are_folded_with_it() -> None:
    original = a_signal("wire", "layoffs", at=1, text_key="told", count=300)
    copy = a_signal("blog", "reorganization", at=2, text_key="told")
    briefs = {one.article_id: a_brief(one) for one in (original, copy)}

    alone = merged([copy], briefs=briefs, types=["reorganization"])
    together = merged([original, copy], briefs=briefs, types=["layoffs", "reorganization"])

    (apart,) = alone.events
    (beside,) = (event for event in together.events if event.type == "reorganization")
    assert apart.claims == beside.claims
