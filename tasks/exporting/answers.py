"""What a model says to a prompt, token by token, whichever program runs it."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from data_contracts.errors import ExportError
from tasks.modeling.chat import end_token_ids

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

# So many of the likeliest tokens are told by the server; the expected token is among them
# unless the export is broken.
_TOLD = 100

# More than any logit.
_BIAS = 1e6

_TIMEOUT = 600  # seconds; a large model on a CPU


@dataclass(frozen=True)
class Answer:
    """A greedy answer: its tokens, the end token included, and how likely each was, in nats."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Echo:
    """How an export continues a prompt and each beginning of another model's answer.

    Attributes:
        same_prompt: Whether the prompt became the same tokens.
        greedy: The token it finds likeliest at each place of the answer.
        log_probabilities: Of the other model's token at each place.
    """

    same_prompt: bool
    greedy: tuple[int, ...]
    log_probabilities: tuple[float, ...]


def answer(
    model: "nn.Module",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: Sequence[int],
    max_new_tokens: int,
) -> Answer:
    """Let the model answer a prompt, and say how likely each token was."""
    tokens = greedy_tokens(model, tokenizer, prompt, max_new_tokens)
    scored, _greedy = _score(model, prompt, tokens)
    return Answer(tuple(tokens), tuple(scored))


def greedy_tokens(
    model: "nn.Module",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: Sequence[int],
    max_new_tokens: int,
) -> list[int]:
    """Return the answer to a prompt, always taking the likeliest next token."""
    from transformers import GenerationConfig

    settings = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=end_token_ids(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
    )
    ids = torch.tensor([list(prompt)], device=next(model.parameters()).device)
    with torch.inference_mode():
        output = model.generate(  # type: ignore[operator]
            input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings
        )
    tokens: list[int] = output[0, len(prompt) :].tolist()
    return tokens


def echo(model: "nn.Module", prompt: Sequence[int], same_prompt: bool, expected: Answer) -> Echo:
    """Score another model's answer, and say what this model would have said."""
    scored, greedy = _score(model, prompt, expected.tokens)
    return Echo(same_prompt, tuple(greedy), tuple(scored))


def _score(
    model: "nn.Module", prompt: Sequence[int], tokens: Sequence[int]
) -> tuple[list[float], list[int]]:
    """Return the tokens' log-probabilities, and the likeliest token at each place."""
    ids = torch.tensor([[*prompt, *tokens]], device=next(model.parameters()).device)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    # Counted from the end: virtual tokens, where a method has them, come before the prompt.
    rows = logits[-len(tokens) - 1 : -1].double().log_softmax(-1).cpu()
    chosen = rows.gather(1, torch.tensor(list(tokens))[:, None])[:, 0]
    return chosen.tolist(), rows.argmax(-1).tolist()


def echo_of_server(
    base_url: str,
    messages: Sequence[Mapping[str, str]],
    prompt: Sequence[int],
    expected: Answer,
    end: int,
) -> Echo:
    """Let a llama.cpp server answer a conversation by its own template and tokenizer.

    Args:
        base_url: The server's, ending in `/v1`.
        messages: The conversation.
        prompt: The tokens it should become.
        expected: The answer it should give.
        end: A token that ends an answer.

    Raises:
        ExportError: The server refuses.
    """
    root = base_url.removesuffix("/v1")
    text = _post(f"{root}/apply-template", {"messages": messages})["prompt"]
    asked = {"content": text, "add_special": True, "parse_special": True}
    read = list(_post(f"{root}/tokenize", asked)["tokens"])
    greedy, scored = [], []
    for at, token in enumerate(expected.tokens):
        told = _next_token(root, [*read, *expected.tokens[:at]], end)
        greedy.append(max(told, key=told.__getitem__))
        scored.append(told.get(token, min(told.values())))
    return Echo(read == list(prompt), tuple(greedy), tuple(scored))


def _next_token(root: str, tokens: Sequence[int], end: int) -> dict[int, float]:
    """Return the log-probabilities of the likeliest next tokens.

    A bias makes the server draw the end: when it has drawn a part of a character, it tells no
    probabilities. Those it tells are without the bias.
    """
    asked = {"n_predict": 1, "n_probs": _TOLD, "temperature": 0, "cache_prompt": True}
    bias = {"logit_bias": [[end, _BIAS]]}
    reply = _post(f"{root}/completion", {"prompt": list(tokens), **asked, **bias})
    place = reply["completion_probabilities"][0]
    return {each["id"]: float(each["logprob"]) for each in place["top_logprobs"]}


def _post(url: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 (loopback, by our own server)
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read())
    except (urllib.error.URLError, OSError, json.JSONDecodeError) as error:
        raise ExportError(
            f"llama.cpp cannot answer with the exported file: {url} gave {error}. A prompt may be "
            "longer than the server's context."
        ) from error
