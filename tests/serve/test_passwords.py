"""What is stored of a password, and what one must be like."""

import pytest
from argon2 import Type, extract_parameters

from riskwatch.serve import passwords


def test_a_password_is_stored_as_argon2id_with_its_own_salt_at_the_cost_of_rfc_9106() -> None:
    first, second = passwords.hashed("naïve"), passwords.hashed("naïve")
    cost = extract_parameters(first)

    assert first != second
    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 65536, 3, 4)
    assert extract_parameters(passwords._nobody()) == cost
    assert passwords.is_right("nai\u0308ve", first)  # as another keyboard writes it
    assert not passwords.is_right("naive", first)


@pytest.mark.parametrize("stored", [None, "", "no hash at all", "$argon2id$v=19$m=65536,t=3,p=4$AAAA$"])
def test_nothing_is_right_where_no_hash_is(stored: str | None) -> None:
    assert not passwords.is_right("", stored)


@pytest.mark.parametrize("password", ["correct horse", "Ein ganzer Satz.", "技术负责人离职的消息传来了吗"])
def test_a_sentence_in_any_script_will_do(password: str) -> None:
    assert passwords.fault_of(password, name="ann") is None


def test_a_name_is_looked_for_before_the_at_and_only_where_it_tells_something() -> None:
    assert (
        passwords.fault_of("I am Annabella now", name="annabella@example.com") == "leave your name out of it"
    )
    assert passwords.fault_of("planning for winter", name="ann") is None


def test_one_time_passwords_will_do_themselves_and_hold_no_letter_that_looks_like_another() -> None:
    made = {passwords.one_time() for _ in range(200)}

    assert len(made) == 200
    assert not {"0", "1", "i", "l", "o"} & set("".join(made))
    assert all(len(one) == 19 for one in made)
