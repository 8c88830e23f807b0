"""Many adapters on one base: the base is in memory once, each request names its adapter.

For one machine and a handful of users. deploy/serving/vllm.yaml is for more.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from data_contracts.errors import ModelError
from data_contracts.results import ModelRef
from tasks.exporting.answers import greedy_tokens
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import end_token_ids, prompt_ids
from tasks.modeling.tuned import WEIGHTS, training_method
from tasks.training.peft_method import LinearPeftMethod

logger = logging.getLogger(__name__)

_MAX_TOKENS = 128
_LARGEST_BODY = 1_000_000  # bytes; far beyond any context


@dataclass(frozen=True)
class SharedBase:
    """One base with its adapters.

    Attributes:
        model: PEFT's model, which holds them all.
        tokenizers: Each adapter's own, with the template it was trained with.
        turn: One request at a time: which adapter is active is a state of the model.
    """

    model: Any
    tokenizers: Mapping[str, Any]
    turn: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, name: str, messages: list[dict[str, str]], max_tokens: int) -> dict[str, Any]:
        """Return the greedy answer of one adapter, in the form of OpenAI's API.

        Raises:
            ModelError: There is no adapter of that name, or there is no message.
        """
        if name not in self.tokenizers:
            raise ModelError(f"No adapter {name!r} here: {', '.join(self.tokenizers)}.")
        if not messages:
            raise ModelError("The request holds no message.")
        tokenizer = self.tokenizers[name]
        question = messages[-1]["content"]
        prompt = prompt_ids(tokenizer, {"history": messages[:-1], "question": question})
        with self.turn:
            self.model.set_adapter(name)
            tokens = greedy_tokens(self.model, tokenizer, prompt, max_tokens)
        ended = bool(tokens) and tokens[-1] in end_token_ids(tokenizer)
        text = str(tokenizer.decode(tokens, skip_special_tokens=True)).strip()
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop" if ended else "length",
        }
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(tokens)}
        usage["total_tokens"] = sum(usage.values())
        about = {"id": f"chatcmpl-{time.time_ns()}", "created": int(time.time()), "model": name}
        return {**about, "object": "chat.completion", "choices": [choice], "usage": usage}


def load_shared(models: Mapping[str, ModelRef]) -> SharedBase:
    """Load one base and put several adapters onto it.

    Args:
        models: Name of each adapter, as requests say it, to the tuned model.

    Raises:
        ModelError: The models have other bases, or adapters that cannot lie side by side.
    """
    from peft import PeftModel

    (first, leader), *others = models.items()
    methods = {name: training_method(model) for name, model in models.items()}
    for name, model in models.items():
        same = model.base.fingerprint == leader.base.fingerprint
        alike = methods[name].base_options().keys() == methods[first].base_options().keys()
        alike = alike and model.base.held_in == leader.base.held_in
        if not (same and alike and isinstance(methods[name], LinearPeftMethod)):
            raise ModelError(
                f"{name} ({model.method} on {model.base.name}) cannot share a base with {first} "
                f"({leader.method} on {leader.base.name}): the base must be the same, held in the "
                "same precision, and each method one that adapts linear layers."
            )
    base = load_model(leader.base, **methods[first].base_options())
    try:
        shared = PeftModel.from_pretrained(base, leader.folder / WEIGHTS, adapter_name=first)
        for name, model in others:
            shared.load_adapter(model.folder / WEIGHTS, adapter_name=name)
    except (TypeError, ValueError) as error:
        raise ModelError(f"PEFT cannot put these adapters onto one base: {error}") from error
    tokenizers = {
        name: load_tokenizer(model.base.model_copy(update={"folder": model.folder}))
        for name, model in models.items()
    }
    return SharedBase(shared.eval(), tokenizers)


def adapter_server(shared: SharedBase, port: int) -> ThreadingHTTPServer:
    """Return an OpenAI-compatible server on loopback; `serve_forever` starts it.

    Args:
        shared: The base with its adapters.
        port: 0 takes any free one.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            models = [{"id": name, "object": "model"} for name in shared.tokenizers]
            known = self.path == "/v1/models"
            self._send(200 if known else 404, {"object": "list", "data": models} if known else {})

        def do_POST(self) -> None:
            if self.path != "/v1/chat/completions":
                self._send(404, _error("Only /v1/chat/completions and /v1/models are served."))
                return
            try:
                asked = json.loads(self.rfile.read(self._length()))
                limit = int(asked.get("max_tokens") or _MAX_TOKENS)
                self._send(200, shared.reply(asked["model"], asked["messages"], limit))
            except ModelError as error:
                self._send(404, _error(str(error)))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                self._send(400, _error(f"Expected model and messages: {error!r}."))

        def _length(self) -> int:
            return min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY)

        def _send(self, status: int, body: Mapping[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            logger.debug(format, *args)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}
