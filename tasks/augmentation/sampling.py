"""Instructions and answers out of a base model's own mouth (Magpie, arXiv:2406.08464).

Given the opening of a user's turn and nothing else, a model that was taught to converse
writes the turn itself: an instruction as those it was taught on. Its answer to that is what
it knew to say before it was tuned.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from data_contracts.base import digest
from data_contracts.errors import ModelError
from data_contracts.results import BaseModelRef
from tasks.augmentation.config import ReplayConfig
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import end_token_ids, prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CONTENT = "CONTENT"


@dataclass(frozen=True)
class Said:
    """A text that a model wrote, and whether it came to an end."""

    text: str
    stopped: bool


class Sampler:
    """Has a base model write instructions and answer them.

    Args:
        base: The model.
        config: Temperature and lengths.
        seed: Of the instructions.
    """

    def __init__(self, base: BaseModelRef, config: ReplayConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self.tokenizer = load_tokenizer(base)
        self.model: Any = load_model(base).eval()
        self._ends = end_token_ids(self.tokenizer)

    def pairs(self, number: int, rows: int) -> list[tuple[Said, Said | None]]:
        """Return a batch of instructions with their answers; the same for the same number.

        What came to no end, or says nothing, is not answered.

        Args:
            number: Of the batch.
            rows: Instructions to sample.
        """
        opening = user_opening(self.tokenizer)
        asked = self._write([opening] * rows, self.config.question_tokens, number)
        wanted = [said for said in dict.fromkeys(asked) if said.stopped and said.text]
        prompts = [prompt_ids(self.tokenizer, {"question": said.text}) for said in wanted]
        answers = self._write(prompts, self.config.answer_tokens, None) if prompts else []
        given = dict(zip(wanted, answers, strict=True))
        return [(said, given.get(said)) for said in asked]

    def _write(self, prompts: list[list[int]], most: int, number: int | None) -> list[Said]:
        """Continue prompts: sampled by the batch's number, or with the likeliest tokens."""
        longest = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        device = self.model.device
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(int(digest([self.seed, number], length=12), 16))
            output = self.model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=self._settings(most, sampled=number is not None),
            )
        return [self._said(row[longest:]) for row in output.tolist()]

    def _settings(self, most: int, *, sampled: bool) -> Any:
        from transformers import GenerationConfig

        chance = {"temperature": self.config.temperature, "top_p": self.config.top_p, "top_k": 0}
        return GenerationConfig(
            max_new_tokens=most,
            do_sample=sampled,
            eos_token_id=self._ends,
            pad_token_id=self.tokenizer.pad_token_id,
            **(chance if sampled else {}),
        )

    def _said(self, tokens: list[int]) -> Said:
        end = next((at for at, token in enumerate(tokens) if token in self._ends), None)
        text = str(self.tokenizer.decode(tokens[:end], skip_special_tokens=True))
        return Said(text.strip(), stopped=end is not None)


def user_opening(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the tokens that open a user's turn by the model's own chat template.

    Raises:
        ModelError: The template does not show a message as it is.
    """
    message = [{"role": "user", "content": _CONTENT}]
    text = str(tokenizer.apply_chat_template(message, tokenize=False))
    opening, found, _ = text.partition(_CONTENT)
    if not found or not opening:
        raise ModelError(
            "The chat template shows no opening of a user's turn, so the base model cannot write "
            "instructions. Set augmentation.replay.synthesise to false and name a dataset under "
            "`general`, or augmentation.replay.share to 0."
        )
    return [int(token) for token in tokenizer(opening, add_special_tokens=False)["input_ids"]]
