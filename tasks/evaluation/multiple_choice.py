"""Log-probability of each choice after its query.

Choices of one item share the computation of their prompt. The prompt and all choices lie
in one row: each choice sees the prompt and itself, not its neighbours, and its positions
start where the prompt ends. That needs a model that takes an attention mask of shape
(rows, 1, queries, keys), as transformers' attention models do. It is not believed
but checked: the first items are scored the plain way too, one row a choice, and where the
two differ the plain way is taken for all.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tasks.evaluation.general import ChoiceItem
from tasks.evaluation.likelihood import Size, plan_batches, summed_losses, text_ids
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import has_virtual_tokens, only_positions
from tasks.modeling.vocabulary_slices import can_be_sliced, sliced_log_probabilities
from tasks.progress import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

# The gauntlet's own prompts: items that open with "Question:" expect "Answer:", all others
# are continued as a sentence.
_QUESTION = "Question:"
_ANSWER = "\nAnswer: "

# How many items prove that sharing gives what the plain way gives.
_CHECKED_ITEMS = 2


@dataclass(frozen=True)
class EncodedItem:
    """Tokens that all choices of an item have in common, and those that differ."""

    prompt: tuple[int, ...]
    choices: tuple[tuple[int, ...], ...]

    @property
    def longest(self) -> int:
        """Tokens of the prompt with its longest choice."""
        return len(self.prompt) + max(len(choice) for choice in self.choices)

    @property
    def size(self) -> Size:
        """Cost of the packed row; the last token of a choice is predicted, never read."""
        read = sum(len(choice) - 1 for choice in self.choices)
        return Size(len(self.prompt) + read, 1 + read)


def encode_item(tokenizer: "PreTrainedTokenizerBase", item: ChoiceItem) -> EncodedItem:
    """Tokenise query and choices as whole texts, then take off what they share.

    So a token that spans the border between query and choice is what the model would see.
    """
    query = item.query.strip()
    joint = _ANSWER if query.startswith(_QUESTION) else " "
    whole = [text_ids(tokenizer, f"{query}{joint}{choice.strip()}") for choice in item.choices]
    border = (query + joint).rstrip()
    shared = _common_prefix([text_ids(tokenizer, border), *whole])
    return EncodedItem(tuple(whole[0][:shared]), tuple(tuple(row[shared:]) for row in whole))


def choice_scores(
    model: nn.Module, items: Sequence[EncodedItem], pad_token_id: int, limit: int
) -> list[list[float]]:
    """Return the summed log-probability of each item's choices, in nats.

    Args:
        model: A causal language model, wrapped or not, in evaluation mode.
        items: Encoded items.
        pad_token_id: Token to pad with.
        limit: Most scored positions in one forward.
    """
    fits = [at for at, item in enumerate(items) if item.longest <= _window(model)]
    if not fits or not _sharing_works(model, [items[at] for at in fits], pad_token_id):
        return plain_scores(model, items, pad_token_id, limit)
    rest = sorted(set(range(len(items))) - set(fits))
    shared = shared_scores(model, [items[at] for at in fits], pad_token_id, limit)
    plain = plain_scores(model, [items[at] for at in rest], pad_token_id, limit)
    found = dict(zip([*fits, *rest], [*shared, *plain], strict=True))
    return [found[at] for at in range(len(items))]


def plain_scores(
    model: nn.Module, items: Sequence[EncodedItem], pad_token_id: int, limit: int
) -> list[list[float]]:
    """Score each choice in a row of its own."""
    rows = [
        EncodedExample(item.prompt + choice, (IGNORED,) * len(item.prompt) + choice)
        for item in items
        for choice in item.choices
    ]
    losses = iter(summed_losses(model, rows, pad_token_id, limit, "Scoring choices"))
    return [[-next(losses) for _ in item.choices] for item in items]


def shared_scores(
    model: nn.Module, items: Sequence[EncodedItem], pad_token_id: int, limit: int
) -> list[list[float]]:
    """Score all choices of an item in one row, which holds their prompt once."""
    scores: dict[int, list[float]] = {}
    batches = plan_batches([item.size for item in items], limit)
    for batch in track(batches, "Scoring choices", len(batches)):
        chosen = [items[at] for at in batch]
        scores.update(zip(batch, _packed_scores(model, chosen, pad_token_id), strict=True))
    return [scores[at] for at in range(len(items))]


def _sharing_works(model: nn.Module, items: Sequence[EncodedItem], pad_token_id: int) -> bool:
    """Try the first items both ways."""
    if has_virtual_tokens(model):
        return False  # virtual tokens before the row would need a mask of their own
    checked = items[:_CHECKED_ITEMS]
    try:
        shared = _packed_scores(model, checked, pad_token_id)
    except (RuntimeError, TypeError, ValueError) as error:
        logger.warning("Choices do not share their prompt: the model refuses masks (%s)", error)
        return False
    plain = plain_scores(model, checked, pad_token_id, sum(item.size.scored for item in checked))
    tolerance = 1e-3 if next(model.parameters()).dtype == torch.float32 else 3e-2
    pairs = [(torch.tensor(a), torch.tensor(b)) for a, b in zip(shared, plain, strict=True)]
    equal = all(torch.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in pairs)
    if not equal:
        logger.warning("Choices do not share their prompt: the model does not follow masks")
    return equal


def _window(model: Any) -> int:
    """Return up to which length every layer sees everything."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None) or getattr(
        config, "attention_chunk_size", None
    )
    return int(window or config.max_position_embeddings)


def _packed_scores(
    model: Any, items: Sequence[EncodedItem], pad_token_id: int
) -> list[list[float]]:
    device, dtype = next(model.parameters()).device, next(model.parameters()).dtype
    ids, positions, segments = (part.to(device) for part in _pack(items, pad_token_id))
    keep = _scored_positions(items, ids.shape[1]).to(device)
    at, token = (torch.tensor(list(part), device=device) for part in _targets(items))

    def logits() -> Tensor:
        mask = _mask(segments, dtype)
        output = model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)
        whole: Tensor = output.logits
        return whole

    with torch.inference_mode():
        if can_be_sliced(model, ids[:1, :1]):
            scores = sliced_log_probabilities(model, logits, keep, at, token)
        else:
            with only_positions(model.get_output_embeddings(), keep):
                kept = logits()[0].float()
            scores = kept[at, token] - kept.logsumexp(-1)[at]
    found = iter(scores.double().tolist())
    return [[sum(next(found) for _ in choice) for choice in item.choices] for item in items]


def _pack(items: Sequence[EncodedItem], pad_token_id: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return token ids, positions and segments (0 prompt, 1.. choices, -1 padding)."""
    longest = max(item.size.length for item in items)
    ids = torch.full((len(items), longest), pad_token_id)
    positions, segments = torch.zeros_like(ids), torch.full_like(ids, -1)
    for row, item in enumerate(items):
        start = len(item.prompt)
        parts = [item.prompt, *(choice[:-1] for choice in item.choices)]
        at = 0
        for segment, part in enumerate(parts):
            here = slice(at, at + len(part))
            first = start if segment else 0
            ids[row, here] = torch.tensor(part, dtype=ids.dtype)
            positions[row, here] = torch.arange(first, first + len(part))
            segments[row, here] = segment
            at += len(part)
    return ids, positions, segments


def _mask(segments: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what is added to attention scores, shape (rows, 1, queries, keys)."""
    query, key = segments[:, :, None], segments[:, None, :]
    length = segments.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    # Padding sees the prompt: a row that sees nothing would turn into NaN.
    allowed = causal & ((key == 0) | (key == query))
    blocked = torch.zeros(allowed.shape, dtype=dtype, device=segments.device)
    return blocked.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]


def _scored_positions(items: Sequence[EncodedItem], length: int) -> Tensor:
    """Return where logits are needed: the prompt's last token, and what is read of choices."""
    keep = torch.zeros(len(items), length, dtype=torch.bool)
    for row, item in enumerate(items):
        keep[row, len(item.prompt) - 1 : item.size.length] = True
    return keep


def _targets(items: Sequence[EncodedItem]) -> tuple[list[int], list[int]]:
    """Return, for each token of each choice, the scored position that predicts it."""
    pairs = list(_position_and_token(items))
    return [at for at, _ in pairs], [token for _, token in pairs]


def _position_and_token(items: Sequence[EncodedItem]) -> Iterator[tuple[int, int]]:
    base = 0
    for item in items:
        after = base + 1
        for choice in item.choices:
            yield base, choice[0]  # the prompt's last token predicts every choice's first
            for offset, token in enumerate(choice[1:]):
                yield after + offset, token
            after += len(choice) - 1
        base += item.size.scored


def _common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """Return how many first tokens all rows have in common."""
    shared = 0
    for column in zip(*rows, strict=False):
        if len(set(column)) > 1:
            break
        shared += 1
    return shared
