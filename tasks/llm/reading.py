"""What an endpoint sent as a completion, whatever shape it gave it."""

import re
from typing import TYPE_CHECKING, Any

from tasks.llm.request import Request, UnreadableResponse
from tasks.llm.response_log import Completion

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

# Finish reason of a reply in which the model declines to answer.
REFUSED = "refusal"

# Where an endpoint does not count tokens: English has about four characters to one, other
# languages and JSON fewer.
CHARACTERS_PER_TOKEN = 3

# Models that think aloud; some templates put the first tag into the prompt.
_THOUGHT = re.compile(r"^.*</think(?:ing)?>", re.DOTALL)
_UNFINISHED_THOUGHT = re.compile(r"^\s*<think(?:ing)?>.*", re.DOTALL)


def read_completion(response: "ChatCompletion", prompt_tokens: int, seconds: float) -> Completion:
    """Return what an endpoint sent as a reply.

    Args:
        response: The endpoint's answer, not validated.
        prompt_tokens: A guess, for endpoints that do not count tokens.
        seconds: How long it took.

    Raises:
        UnreadableResponse: It is no completion.
    """
    choices = getattr(response, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if choice is None or message is None:
        raise UnreadableResponse("the endpoint's answer holds no choice with a message")
    said = _text(message.content)
    refusal = getattr(message, "refusal", None)
    usage = getattr(response, "usage", None)
    return Completion(
        text=without_thoughts(said) or str(refusal or ""),
        finish_reason=REFUSED if refusal else str(choice.finish_reason or "unknown"),
        prompt_tokens=_count(usage, "prompt_tokens", prompt_tokens),
        completion_tokens=_count(usage, "completion_tokens", len(said) // CHARACTERS_PER_TOKEN + 1),
        seconds=round(seconds, 3),
    )


def without_thoughts(text: str) -> str:
    """Return a reply without the reasoning that a model puts before it in <think> tags."""
    return _UNFINISHED_THOUGHT.sub("", _THOUGHT.sub("", text)).strip()


def _text(content: Any) -> str:
    """Return the text of a message: a string, nothing, or a list of parts."""
    if not isinstance(content, list):
        return str(content or "")
    texts = [p.get("text") if isinstance(p, dict) else getattr(p, "text", None) for p in content]
    return "".join(str(text) for text in texts if text)


def _count(usage: Any, name: str, guess: int) -> int:
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else guess


def prompt_size(request: Request) -> int:
    """Return a guess of a prompt's tokens."""
    characters = sum(len(message["content"]) for message in request.messages)
    return characters // CHARACTERS_PER_TOKEN + 1
