"""What a generator makes of a subject with a language model's help."""

from dataclasses import dataclass

from tasks.generation.base import Candidate, LLMGenerator, Subject
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete
from tasks.llm.structured import converse


@dataclass(frozen=True)
class Outcome:
    """What came of a conversation: candidates, or the reason why there are none.

    Attributes:
        candidates: What was made.
        prompt_sha256: Digest of what the model was sent; empty where none was asked.
        failure: Why there are no candidates.
        replied: Whether the model replied at all; if not, a later run may get its reply.
    """

    candidates: tuple[Candidate, ...]
    prompt_sha256: str
    failure: str = ""
    replied: bool = True


def ask_about(
    generator: LLMGenerator, subject: Subject, complete: Complete, repairs: int
) -> Outcome | None:
    """Ask the model about a subject.

    Args:
        generator: Says what to ask and how to read the reply.
        subject: What to ask about.
        complete: Asks the model.
        repairs: How often an unusable reply is sent back with the error shown.

    Returns:
        The outcome, or None where the subject offers nothing to ask about.
    """
    messages = generator.messages(subject)
    if messages is None:
        return None
    reply = converse(
        messages,
        generator.response_format,
        lambda parsed: tuple(generator.parse(parsed, subject)),
        complete,
        repairs,
    )
    kept = f"{reply.failure}; it lies in {reply.quarantine}" if reply.quarantine else reply.failure
    replied = not reply.failure or bool(reply.quarantine) or not isinstance(complete, LoggedModel)
    return Outcome(reply.value or (), reply.prompt_sha256, kept, replied)
