from tests.merge.makers import a_signal, day, ids, merged


def test_one_article_with_two_events_tells_one_story() -> None:
    told = merged([a_signal("a", person="Dana Ortiz"), a_signal("a", "funding")])

    (story,) = told.stories
    assert story.event_ids == tuple(sorted(e.id for e in told.events))


def test_unrelated_events_are_stories_of_their_own() -> None:
    told = merged([a_signal("a", person="Dana Ortiz"), a_signal("b", "funding")])

    assert len(told.stories) == 2


def test_the_same_person_within_thirty_days_tells_one_story() -> None:
    leaving = a_signal("a", person="Dana Ortiz")

    near = merged([leaving, a_signal("b", "leadership_appointment", at=20, person="Ortiz Dana")])
    far = merged([leaving, a_signal("b", "leadership_appointment", at=40, person="Dana Ortiz")])

    assert (len(near.stories), len(far.stories)) == (1, 2)


def test_past_sixty_days_a_successor_opens() -> None:
    told = [
        a_signal("a", "lawsuit", at=1, plaintiff="Getty Images", claimed_at=None),
        a_signal("b", "lawsuit", at=62, plaintiff="Authors Guild"),
        a_signal("b", "lawsuit", at=62, plaintiff="Getty Images"),
        a_signal("c", "funding", at=70),
    ]

    stories = merged(told).stories

    assert sorted(len(s.event_ids) for s in stories) == [1, 1, 1]


def test_a_story_keeps_its_id_when_it_grows() -> None:
    new_id = ids()
    one = [a_signal("a", person="Dana Ortiz")]
    first = merged(one, new_id=new_id)

    second = merged([*one, a_signal("a", "funding")], known=first.events, new_id=new_id)

    assert [s.id for s in second.stories] == [s.id for s in first.stories]


def test_denied_and_background_telling_belongs_to_no_story() -> None:
    told = merged([a_signal("a", person="Dana Ortiz"), a_signal("a", "funding", assertion="denied")])

    (story,) = told.stories
    assert len(story.event_ids) == 1


def test_a_wrong_date_does_not_tear_a_story_apart() -> None:
    told = merged([a_signal("a", person="Dana Ortiz", claimed_at=day(-270)), a_signal("a", "funding")])

    assert len(told.stories) == 1
