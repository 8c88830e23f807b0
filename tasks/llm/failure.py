"""Why a request got no reply, whether that may pass, and what the user can do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from data_contracts.errors import EndpointError
from tasks.llm.config import LLMConfig
from tasks.llm.request import CallFailed, NotServed, Unreachable, UnreadableResponse
from tasks.llm.throttle import retry_after

if TYPE_CHECKING:
    from openai import APIStatusError

# What may pass by itself: time-out and conflict at the server, too many requests, and 5xx.
_PASSING = (408, 409, 429)

# The endpoint has too much to do (RFC 6585, 4; RFC 9110, 15.6.4; Cloudflare's 529 and 524).
_OVERLOADED = (429, 503, 524, 529)

# What is the same for every request: there is no use in going on.
_LASTING = (401, 403, 404)

_MOVED = (
    "Only the host that a profile names is asked, so nothing was sent there: put that address "
    "into `llm.base_url` if it is the endpoint's."
)
_ADVICE = {
    **dict.fromkeys((301, 302, 303, 307, 308), _MOVED),
    400: "The endpoint does not accept the request: check `llm.model` and its context length.",
    401: "Give a key that is valid there, in {key}.",
    403: "The key in {key} may not use this model: use another key or model.",
    404: "Check `llm.base_url` (it usually ends in /v1) and `llm.model`.",
    429: "The endpoint is over its rate or its quota: lower `llm.concurrency` or wait.",
}
_KEPT = "Finished replies are kept."


@dataclass(frozen=True)
class Failure:
    """A request that got no reply.

    Attributes:
        cause: The library's error.
        said: What the endpoint answered, or what happened.
        status: HTTP status, or None without an answer.
        passing: Whether another attempt may help.
        overloaded: Whether the endpoint has too much to do.
        pause: Seconds that the endpoint asks to wait, if it does.
    """

    cause: Exception
    said: str
    status: int | None = None
    passing: bool = True
    overloaded: bool = False
    pause: float | None = None

    def shown_cause(self, secret: SecretStr) -> Exception | None:
        """Return the cause, unless the endpoint repeated the key in what it said."""
        key = secret.get_secret_value()
        return None if key and key in f"{self.cause} {self.cause!r}" else self.cause

    def message(self, base_url: str, config: LLMConfig, attempts: int) -> str:
        """Return what to tell the user."""
        times = f" {attempts} times" if attempts > 1 else ""
        where = f"The LLM endpoint {base_url}"
        if self.pause is not None and self.pause > config.max_wait_seconds:
            return (
                f"{where} asks to wait {self.pause:.0f} s, more than `llm.max_wait_seconds` "
                f"({config.max_wait_seconds:g}): {self.said}. Run again later. {_KEPT}"
            )
        if self.status is not None:
            key = config.api_key_block or config.api_key_env
            advice = _ADVICE.get(self.status, "See the log of the server.").format(key=key)
            return (
                f"{where} answered with status {self.status}{times}: {self.said}. {advice} {_KEPT}"
            )
        if isinstance(self.cause, UnreadableResponse):
            return f"{where} sent no completion{times}: {self.said}. See the log of the server."
        if self.overloaded:
            return (
                f"{where} gave no answer within {config.timeout_seconds:g} s{times}. Raise "
                f"`llm.timeout_seconds`, or lower `llm.concurrency`. {_KEPT}"
            )
        return (
            f"{where} cannot be reached or breaks off{times}: {self.said}. "
            f"Start the server or correct `llm.base_url`. {_KEPT}"
        )

    def error(self, text: str) -> EndpointError:
        """Return the error of the kind that fits: of this request, or of the endpoint."""
        if isinstance(self.cause, UnreadableResponse):
            return UnreadableResponse(text)
        if self.status is None:
            return Unreachable(text)
        if self.is_lasting():
            return EndpointError(text)
        return NotServed(text) if self.passing else CallFailed(text)

    def is_lasting(self) -> bool:
        """Whether every other request would fail as well."""
        moved = self.status is not None and self.status < 400
        return moved or self.status in _LASTING or (self.status == 429 and not self.passing)


def read_failure(error: Exception) -> Failure:
    """Return what an error of the library means."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APITimeoutError):
        return Failure(error, "no answer in time", overloaded=True)
    if isinstance(error, openai.APIConnectionError):
        return Failure(error, str(error.__cause__ or error))
    if isinstance(error, UnreadableResponse):
        return Failure(error, str(error))
    unreadable = UnreadableResponse(f"the endpoint's answer is not JSON ({error})")
    return Failure(unreadable, str(unreadable))


def _of_status(error: "APIStatusError") -> Failure:
    status = error.status_code
    # OpenAI's 429 for an account without money: waiting does not help
    quota = getattr(error, "code", None) == "insufficient_quota"
    place = error.response.headers.get("location") if status < 400 else None
    return Failure(
        cause=error,
        said=_short(f"it has moved to {place}" if place else str(error.message)),
        status=status,
        passing=(status in _PASSING and not quota) or status >= 500,
        overloaded=status in _OVERLOADED,
        pause=retry_after(error.response.headers) if status in _OVERLOADED else None,
    )


def _short(said: str) -> str:
    """Return the beginning of what an endpoint said: an error page can be long."""
    line = " ".join(said.split())
    return line if len(line) <= 300 else f"{line[:300]}..."
