"""A local OpenAI-compatible server on the embedded model, for as long as it is needed.

The server runs in a process of its own, since it must end with its memory when the work is
done. It also ends when its standard input closes: that happens when the parent dies, even
by SIGKILL.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from data_contracts.errors import EndpointError

logger = logging.getLogger(__name__)

# A prompt with its examples and a chunk of 128 tokens needs about 600 tokens.
CONTEXT_TOKENS = 2048

# The embedded model is no chat model: it goes on with plain text best.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% elif message['role'] == 'user' %}{{ message['content'] }}\n"
    "{% else %}{{ message['content'] }}\n\n{% endif %}{% endfor %}"
)

# Loading takes 2 to 5 s here; a cold disk may need far longer.
STARTUP_SECONDS = 180.0


@contextmanager
def embedded_server(
    gguf: Path, threads: int = 1, template: str | None = PLAIN_TEMPLATE
) -> Iterator[str]:
    """Serve a GGUF model on a free loopback port; the server ends with the block.

    Args:
        gguf: The model file.
        threads: CPU threads that the server may use.
        template: Chat template in Jinja; the file's own, if None.

    Yields:
        The base URL for an OpenAI client.

    Raises:
        EndpointError: The server does not start.
    """
    logger.info("Starting the embedded language model")
    command = [sys.executable, "-m", "tasks.llm.embedded_server", str(gguf)]
    process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
        [*command, "--threads", str(threads), *(["--template", template] if template else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield _wait_until_healthy(process)
    finally:
        _end(process)


def _wait_until_healthy(process: subprocess.Popen[str]) -> str:
    timer = threading.Timer(STARTUP_SECONDS, process.kill)
    timer.start()
    started = time.monotonic()
    try:
        address = _announced_address(process)
        while not _is_healthy(address):
            if process.poll() is not None:
                raise _start_failure(process)
            time.sleep(0.1)
    finally:
        timer.cancel()
    logger.info("The embedded language model is ready after %.1f s", time.monotonic() - started)
    return f"{address}/v1"


def _announced_address(process: subprocess.Popen[str]) -> str:
    """Return the address that the child prints; it may print other lines before."""
    output: IO[str] | None = process.stdout
    for line in output or ():
        if line.startswith('{"listening"'):
            return str(json.loads(line)["listening"])
    process.wait()
    raise _start_failure(process)


def _start_failure(process: subprocess.Popen[str]) -> EndpointError:
    return EndpointError(
        f"The embedded language model did not start (exit status {process.poll()}). It needs "
        "about 1 GB of free memory. Run `python -m tasks.llm.embedded_server MODEL.gguf` "
        "to see why, or set `llm.base_url` to another endpoint."
    )


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def serve(gguf: Path, threads: int, template: str | None) -> None:
    """Serve a model until standard input closes.

    One slot and no prompt cache: the same request gets the same reply, whatever was asked
    before.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    if template is not None:
        params.chat_template = template
    else:
        # A request may ask to go on where the one before ended (`cache_prompt`); without this,
        # layers with a sliding window forget what that needs.
        params.swa_full = True
    params.use_jinja = True
    params.cache_prompt = False
    params.cache_ram_mib = 0
    params.n_ctx_checkpoints = 0
    params.ui = False
    server = xllamacpp.Server(params)
    sys.stdout.write(json.dumps({"listening": str(server.listening_address)}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--template")
    arguments = parser.parse_args()
    serve(arguments.gguf, arguments.threads, arguments.template)
