"""Counting with a tokenizer file, and without one."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from data_contracts.errors import ModelError
from tasks.modeling.tokens import token_counter


def test_counts_without_special_tokens(tmp_path: Path) -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "<bos>": 1, "a": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert token_counter(tmp_path)(["a b", "", "a, b c"]) == [2, 0, 4]


def test_missing_or_broken_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no tokenizer\.json"):
        token_counter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="is not a tokenizer"):
        token_counter(tmp_path)(["a"])


def test_the_tokenizer_is_loaded_by_the_first_count_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    load, loaded = Tokenizer.from_file, []
    monkeypatch.setattr(
        "tokenizers.Tokenizer.from_file", lambda path: loaded.append(path) or load(path)
    )
    counters = [token_counter(tmp_path), token_counter(tmp_path)]
    assert loaded == []
    assert [count(["a"]) for count in counters] == [[1], [1]]
    assert len(loaded) == 1
