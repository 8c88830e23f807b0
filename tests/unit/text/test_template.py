from random import Random

import numpy as np
import pytest

from tasks.text import template
from tasks.text.config import SimilarityConfig
from tasks.text.hash_rows import HashRows
from tasks.text.remembered import remembering
from tasks.text.template import template_hashes, without

CONFIG = SimilarityConfig(template_documents=3, template_share=0.0)


def sets(*values: list[int]) -> HashRows:
    return HashRows.of(np.array(value, np.uint64) for value in values)


def test_documents_are_counted_not_rows() -> None:
    features = sets([1, 7], [1, 7], [1, 9], [1], [7])
    found = template_hashes("runs", features, ["a", "a", "b", "c", "b"], CONFIG)
    assert found.tolist() == [1]


def test_large_corpora_need_a_share_of_their_documents() -> None:
    features = sets(*[[5]] * 4, *[[n + 100] for n in range(96)])
    documents = [f"d{n}" for n in range(100)]
    few = CONFIG.model_copy(update={"template_share": 0.04})
    more = CONFIG.model_copy(update={"template_share": 0.05})
    assert template_hashes("runs", features, documents, few).tolist() == [5]
    assert template_hashes("runs", features, documents, more).tolist() == []


def test_no_rows_no_template() -> None:
    assert template_hashes("runs", sets(), [], CONFIG).size == 0


def test_without_takes_out_what_is_ignored() -> None:
    left = without(sets([1, 2, 3], [2]), np.array([2], np.uint64))
    assert [row.tolist() for row in left] == [[1, 3], []]


@pytest.mark.parametrize("seed", range(5))
def test_after_edits_template_text_is_that_of_a_fresh_count(tmp_path, seed) -> None:
    random = Random(seed)
    rows = [(sorted(random.sample(range(12), 3)), f"d{random.randrange(9)}") for _ in range(40)]
    found = []
    for _ in range(8):
        features, documents = sets(*(row for row, _ in rows)), [name for _, name in rows]
        config = CONFIG.model_copy(update={"template_share": random.choice([0.5, 0.8])})
        with remembering(tmp_path):
            found.append(template_hashes("runs", features, documents, config).tolist())
        assert found[-1] == template_hashes("runs", features, documents, config).tolist()
        for _ in range(4):
            del rows[random.randrange(len(rows))]
            new = (sorted(random.sample(range(12), 3)), f"d{random.randrange(9)}")
            rows.insert(random.randrange(len(rows)), random.choice([new, (rows[0][0], new[1])]))
    assert len(set(map(tuple, found))) > 1


def test_only_what_new_rows_hold_is_counted_again(tmp_path, monkeypatch) -> None:
    rows = [[n, n + 1] for n in range(30)]
    counted = []
    count = template._at_least
    monkeypatch.setattr(
        template,
        "_at_least",
        lambda hashes, least: counted.append(hashes.size) or count(hashes, least),
    )
    for more in ([], [[100, 101]]):
        with remembering(tmp_path):
            features = sets(*rows, *more)
            template_hashes("runs", features, [f"d{n}" for n in range(len(features))], CONFIG)
    assert counted[0] == 60
    assert counted[-1] < 10
