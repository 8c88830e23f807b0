"""Anchor texts: what a mitigation holds on to, from a file or out of the base model's mouth."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from data_contracts.base import digest
from data_contracts.errors import TrainingError
from data_contracts.results import BaseModelRef
from tasks.modeling.anchor_texts import ANCHORS, read_anchor_texts, write_anchor_texts
from tasks.modeling.base_model import load_model
from tasks.modeling.chat import IGNORED, EncodedExample
from tasks.modeling.supervised import Batch, collate
from tasks.training.anchor_config import AnchorConfig

logger = logging.getLogger(__name__)

# Texts sampled at once: one step reads all weights, whatever their number.
SAMPLED_AT_ONCE = 16

# Rounds of sampling before a model that writes nothing is given up.
ROUNDS = 4


@dataclass(frozen=True)
class Anchors:
    """Encoded anchor texts.

    Attributes:
        rows: Every token but the first is a label.
        pad_token_id: Fills short rows of a batch.
    """

    rows: tuple[EncodedExample, ...]
    pad_token_id: int

    def turn(self, step: int, size: int) -> list[int]:
        """Return the places of the rows whose turn it is at a step: all come round in order."""
        return [(step * size + at) % len(self.rows) for at in range(min(size, len(self.rows)))]

    def batch(self, places: Sequence[int], model: nn.Module) -> Batch:
        """Return these rows as one batch, where the model is."""
        rows = [self.rows[place] for place in places]
        return collate(rows, self.pad_token_id).to(next(model.parameters()).device)


def collect_anchors(
    config: AnchorConfig, base: BaseModelRef, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> list[str]:
    """Return the anchor texts and leave them in `folder`; those that lie there are taken again.

    Args:
        config: Where they come from.
        base: The model that writes them where no file is named.
        tokenizer: Of the base.
        folder: The run's.

    Raises:
        TrainingError: The file is no file of texts, or the base model writes none.
    """
    kept = folder / ANCHORS
    if kept.is_file():
        return read_anchor_texts(kept)
    if config.file is not None:
        texts = read_anchor_texts(config.file)
        texts = sorted(texts, key=lambda text: digest([config.seed, text]))[: config.texts]
    else:
        logger.info("The base model writes %d anchor texts", config.texts)
        texts = _written(config, base, tokenizer)
    write_anchor_texts(kept, texts)
    return texts


def encode_anchors(
    texts: Sequence[str], config: AnchorConfig, tokenizer: PreTrainedTokenizerBase
) -> tuple[EncodedExample, ...]:
    """Return each text's first tokens behind the token that starts a sequence."""
    start = _start(tokenizer)
    rows = []
    for text in texts:
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"][: config.tokens]
        rows.append(EncodedExample((start, *tokens), (IGNORED, *tokens)))
    return tuple(rows)


def _start(tokenizer: PreTrainedTokenizerBase) -> int:
    start = tokenizer.bos_token_id
    return int(tokenizer.eos_token_id if start is None else start)


def _written(
    config: AnchorConfig, base: BaseModelRef, tokenizer: PreTrainedTokenizerBase
) -> list[str]:
    """Sample texts from the model's own distribution, from an empty context on."""
    model: Any = load_model(base).eval()
    texts: dict[str, None] = {}
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(config.seed)
        for _ in range(ROUNDS * -(-config.texts // SAMPLED_AT_ONCE)):
            texts |= dict.fromkeys(_sampled(model, config, tokenizer))
            if len(texts) >= config.texts:
                return list(texts)[: config.texts]
    if not texts:
        raise TrainingError(
            f"The base model {base.name} writes no text from an empty context, so it cannot give "
            "anchor texts. Name a JSONL file of texts under training.anchors.file."
        )
    logger.warning("The base model wrote %d different anchor texts only", len(texts))
    return list(texts)


def _sampled(model: Any, config: AnchorConfig, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    from transformers import GenerationConfig

    start = torch.full((SAMPLED_AT_ONCE, 1), _start(tokenizer), device=model.device)
    output = model.generate(
        input_ids=start,
        attention_mask=torch.ones_like(start),
        generation_config=GenerationConfig(
            max_new_tokens=config.tokens,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        ),
    )
    written = (tokenizer.decode(row[1:], skip_special_tokens=True) for row in output)
    return [text for text in map(str, written) if len(text.split()) > 1]
