import pytest

from data_contracts.errors import GeneralSetError
from tasks.evaluation.constraints import RULES, keeps
from tasks.evaluation.prompt_set import SHIPPED, read_prompts

CASES = [
    ("capitals", "", "ROT 3 BLAU", "Rot"),
    ("small_letters", "", "good morning, 3 of you", "Good morning"),
    ("items", "2", "Here:\n- a\n- b", "- a\n- b\n- c"),
    ("numbered", "2", "1. a\n2) b", "- a\n- b"),
    ("most_words", "3", "It is wet.", "It is very wet."),
    ("least_words", "3", "It is wet.", "It's wet."),
    ("exact_words", "1", "Earth.", "The Earth."),
    ("sentences", "2", "It is far. Is it cold?", "It is far away and cold."),
    ("contains", "moss", "Green Moss grows.", "Mossy stones."),
    ("avoids", "cold", "White and soft.", "It is COLD."),
    ("without_letter", "e", "Dog", "Eel"),
    ("begins", "Certainly", '"Certainly: chairs.', "Chairs, certainly."),
    ("ends", "that is all", "Windows. That is all.", "That is all: windows."),
    ("json", "name age", '```json\n{"name": "A", "age": 3}\n```', '{"name": "A"}'),
    ("one_of", "yes no", "Yes.", "Yes, it is."),
    ("lines", "3", "May\n\nJune\nJuly", "May, June, July"),
    ("no_digits", "", "seven", "7"),
]


@pytest.mark.parametrize(("rule", "value", "good", "bad"), CASES)
def test_a_rule_tells_kept_from_broken(rule: str, value: str, good: str, bad: str) -> None:
    assert keeps(good, rule, value)
    assert not keeps(bad, rule, value)
    assert not keeps("", rule, value)


def test_every_rule_has_its_case() -> None:
    assert {case[0] for case in CASES} == set(RULES)


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(GeneralSetError, match="no rule 'rhymes'.*capitals"):
        keeps("x", "rhymes", "")


def test_the_shipped_sets_are_well_formed() -> None:
    instructions = read_prompts(SHIPPED / "instructions.jsonl", ("rule", "value"))
    refusals = read_prompts(SHIPPED / "refusals.jsonl", ())
    assert (len(instructions), len(refusals)) == (32, 24)
    assert {row["rule"] for row in instructions} <= set(RULES)
    for rows in (instructions, refusals):
        assert len({row["example_id"] for row in rows}) == len(rows)
    for row in instructions:
        keeps("An answer.", row["rule"], row["value"])  # the value is one that the rule takes


def test_of_each_skill_the_same_few_prompts_can_be_chosen() -> None:
    few = read_prompts(SHIPPED / "refusals.jsonl", (), 2)
    assert [row["kind"] for row in few].count("should_refuse") == 2
    assert len(few) == 4
    more = read_prompts(SHIPPED / "refusals.jsonl", (), 3)
    assert {row["example_id"] for row in few} < {row["example_id"] for row in more}


@pytest.mark.parametrize("line", ["[1]", "{", '{"skill": "x"}', '{"skill": "x", "prompt": 1}'])
def test_a_wrong_line_is_named(tmp_path, line: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"skill": "x", "prompt": "p"}\n\n' + line)
    with pytest.raises(GeneralSetError, match=r"set\.jsonl: line 3"):
        read_prompts(path, ())
