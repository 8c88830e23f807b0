import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.likelihood import (
    TOKENS_PER_FORWARD,
    Size,
    plan_batches,
    summed_losses,
    text_ids,
    text_windows,
)
from tasks.modeling.chat import IGNORED, EncodedExample, encode_example
from tests.unit.evaluation.conftest import Tiny

TEXT = "The capital of France is Paris. " * 8


def naive(tiny: Tiny, row: EncodedExample) -> float:
    """Sum the losses of one row from its full logits."""
    ids = torch.tensor([row.input_ids])
    with torch.no_grad():
        logits = tiny.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
    wanted = [(at, label) for at, label in enumerate(row.labels[1:]) if label != IGNORED]
    return -sum(float(logits[at, label]) for at, label in wanted)


@pytest.mark.parametrize("limit", [16, 512])
def test_losses_are_those_of_full_logits_whatever_the_batch(tiny: Tiny, limit: int) -> None:
    examples = [{"question": "What is it?" * n, "answer": "A ferry. " * n} for n in (1, 4, 2, 9)]
    rows = [encode_example(tiny.tokenizer, example, 999) for example in examples]
    rows += text_windows(tiny.tokenizer, TEXT, 999)
    assert max(len(row.supervised) for row in rows) > 16
    pad = tiny.tokenizer.pad_token_id
    found = summed_losses(tiny.model, rows, pad, limit, "rows")
    assert found == pytest.approx([naive(tiny, row) for row in rows], rel=1e-4)


def test_logits_never_exceed_the_limit(tiny: Tiny) -> None:
    seen: list[int] = []
    head = tiny.model.get_output_embeddings()
    handle = head.register_forward_hook(
        lambda _m, _i, output: seen.append(output.shape[:-1].numel())
    )
    rows = [window for _ in range(3) for window in text_windows(tiny.tokenizer, TEXT, 50)]
    summed_losses(tiny.model, rows, tiny.tokenizer.pad_token_id, 20, "rows")
    handle.remove()
    assert max(seen) <= 20
    assert sum(seen) == sum(len(row.supervised) for row in rows)


def test_windows_score_every_token_once(tiny: Tiny) -> None:
    start, *tokens = text_ids(tiny.tokenizer, TEXT)
    windows = text_windows(tiny.tokenizer, TEXT, 20)
    assert start == tiny.tokenizer.bos_token_id
    assert [token for window in windows for token in window.supervised] == tokens
    assert all(window.input_ids[0] == start for window in windows)
    assert all(len(window.input_ids) <= 20 for window in windows)


def test_only_the_first_tokens_of_a_text_can_be_asked_for(tiny: Tiny) -> None:
    (window,) = text_windows(tiny.tokenizer, TEXT, 999, 7)
    whole = text_windows(tiny.tokenizer, TEXT, 999)[0]
    assert window.supervised == whole.supervised[:7]


def test_without_a_start_token_the_end_token_starts_a_text(tiny: Tiny) -> None:
    class NoStart:
        bos_token_id, eos_token_id = None, 7

        def __call__(self, *args: object, **options: object) -> object:
            return tiny.tokenizer(*args, **options)

    assert text_ids(NoStart(), "A ferry.")[0] == 7  # type: ignore[arg-type]


_SIZES = st.lists(
    st.tuples(st.integers(1, 900), st.integers(1, 300)).map(lambda pair: Size(*pair)), max_size=40
)


@given(_SIZES, st.integers(16, 600))
def test_batches_hold_every_row_once_within_both_limits(sizes: list[Size], limit: int) -> None:
    batches = plan_batches(sizes, limit)
    assert sorted(at for batch in batches for at in batch) == list(range(len(sizes)))
    for batch in batches:
        rows = [sizes[at] for at in batch]
        assert len(rows) == 1 or sum(row.scored for row in rows) <= limit
        assert len(rows) == 1 or len(rows) * max(r.length for r in rows) <= TOKENS_PER_FORWARD
