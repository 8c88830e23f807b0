import json
import logging
from pathlib import Path

import pytest

from data_contracts.errors import GeneralSetError
from tasks.evaluation.general import SHIPPED, general_digest, read_general

ITEM = {"query": "Predators eat", "choices": ["lions", "bunnies"], "gold": 1}


def write(folder: Path, name: str, *lines: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def test_each_shape_is_read_and_named_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, "skills/food.jsonl", ITEM, "", {**ITEM, "gold": 0, "source": "ignored"})
    write(tmp_path, "text/prose.jsonl", {"text": "Once."})
    write(tmp_path, "lambada.jsonl", {"context": "He shut the", "continuation": "door"})
    sets = read_general(tmp_path)
    assert [(i.skill, i.choices, i.gold) for i in sets.items] == [
        ("food", ("lions", "bunnies"), 1),
        ("food", ("lions", "bunnies"), 0),
    ]
    assert {(t.source, t.text) for t in sets.texts} == {
        ("prose", "Once."),
        ("lambada", "He shut the door"),
    }


def test_free_answers_are_left_out_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "trivia.jsonl", {"context": "Q:", "answer": "Onion", "aliases": []})
    write(tmp_path, "food.jsonl", ITEM)
    with caplog.at_level(logging.INFO):
        assert len(read_general(tmp_path).items) == 1
    assert "trivia.jsonl" in caplog.text
    assert "left out" in caplog.text


def test_an_item_that_stands_there_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, "food.jsonl", ITEM, ITEM)
    assert len(read_general(tmp_path).items) == 1


def test_an_items_identifier_does_not_depend_on_its_line(tmp_path: Path) -> None:
    other = {**ITEM, "query": "Cows eat"}
    write(tmp_path / "a", "food.jsonl", ITEM, other)
    write(tmp_path / "b", "food.jsonl", other, ITEM)
    ids = [{item.item_id for item in read_general(tmp_path / name).items} for name in "ab"]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not valid JSON"),
        ("[1]", "list instead of an object"),
        ({"question": "?"}, "keys question"),
        ({**ITEM, "gold": 2}, "not an index from 0 to 1"),
        ({**ITEM, "gold": -1}, "not an index"),
        ({**ITEM, "gold": True}, "not an index"),
        ({**ITEM, "gold": "1"}, "not an index"),
        ({**ITEM, "choices": ["lions"]}, "at least two"),
        ({**ITEM, "choices": "lions"}, "at least two"),
        ({**ITEM, "choices": ["lions", ""]}, "non-empty"),
        ({**ITEM, "query": 3}, "non-empty string"),
        ({"text": "  "}, "shape"),
        ({"text": "A text among items."}, "shape"),
    ],
)
def test_a_wrong_line_is_named_with_what_was_expected(
    tmp_path: Path, line: object, what: str
) -> None:
    write(tmp_path, "food.jsonl", ITEM, line)
    with pytest.raises(GeneralSetError, match=what) as caught:
        read_general(tmp_path)
    assert "food.jsonl, line 2" in str(caught.value)
    assert "expected" in str(caught.value)


def test_text_must_not_be_empty(tmp_path: Path) -> None:
    write(tmp_path, "prose.jsonl", {"text": " "})
    with pytest.raises(GeneralSetError, match=r"line 1: \"text\" is not a non-empty string"):
        read_general(tmp_path)


def test_folders_without_use_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GeneralSetError, match="holds no \\*\\.jsonl"):
        read_general(tmp_path)
    with pytest.raises(GeneralSetError, match="holds no \\*\\.jsonl"):
        general_digest(tmp_path / "missing")
    write(tmp_path, "food.jsonl", "")
    with pytest.raises(GeneralSetError, match="holds no line"):
        read_general(tmp_path)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "food.jsonl").write_bytes(b'{"text": "\xff"}')
    with pytest.raises(GeneralSetError, match="UTF-8"):
        read_general(tmp_path)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a/food.jsonl", ITEM)
    write(tmp_path, "b/food.jsonl", ITEM)
    with pytest.raises(GeneralSetError, match="rename one"):
        read_general(tmp_path)


def test_the_digest_follows_the_content_not_the_place(tmp_path: Path) -> None:
    write(tmp_path / "a", "food.jsonl", ITEM)
    write(tmp_path / "b", "food.jsonl", ITEM)
    assert general_digest(tmp_path / "a") == general_digest(tmp_path / "b")
    write(tmp_path / "b", "food.jsonl", ITEM, ITEM)
    assert general_digest(tmp_path / "a") != general_digest(tmp_path / "b")


def test_the_shipped_probe_is_large_and_broad_enough() -> None:
    sets = read_general(SHIPPED)
    skills = {item.skill for item in sets.items}
    assert len(sets.items) >= 300
    assert len(skills) >= 8
    assert len(sets.texts) >= 20


def test_the_gauntlets_own_folder_is_read_as_it_is(shared_data: Path) -> None:
    sets = read_general(shared_data / "general")
    assert {item.skill for item in sets.items} == {"arc_easy", "copa", "openbook_qa", "piqa"}
    assert {text.source for text in sets.texts} == {"lambada_openai"}
