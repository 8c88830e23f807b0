import numpy as np

from tasks.text.config import SimilarityConfig
from tasks.text.template import template_hashes, without

CONFIG = SimilarityConfig(template_documents=3, template_share=0.0)


def sets(*values: list[int]) -> list[np.ndarray]:
    return [np.array(value, np.uint64) for value in values]


def test_documents_are_counted_not_rows() -> None:
    features = sets([1, 7], [1, 7], [1, 9], [1], [7])
    found = template_hashes(features, ["a", "a", "b", "c", "b"], CONFIG)
    assert found.tolist() == [1]


def test_large_corpora_need_a_share_of_their_documents() -> None:
    features = sets(*[[5]] * 4, *[[n + 100] for n in range(96)])
    documents = [f"d{n}" for n in range(100)]
    few = CONFIG.model_copy(update={"template_share": 0.04})
    more = CONFIG.model_copy(update={"template_share": 0.05})
    assert template_hashes(features, documents, few).tolist() == [5]
    assert template_hashes(features, documents, more).tolist() == []


def test_no_rows_no_template() -> None:
    assert template_hashes([], [], CONFIG).size == 0


def test_without_takes_out_what_is_ignored() -> None:
    left = without(sets([1, 2, 3], [2]), np.array([2], np.uint64))
    assert [row.tolist() for row in left] == [[1, 3], []]
