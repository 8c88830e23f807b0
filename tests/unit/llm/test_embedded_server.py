"""The embedded server end to end: starts, answers alike in any order, ends with its parent."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.llm.client import ChatClient, Request
from tasks.llm.config import LLMConfig
from tasks.llm.embedded_server import embedded_server
from tasks.modeling.base_model import embedded_gguf
from tasks.settings import Settings
from tests.unit.llm.conftest import Answer

pytestmark = pytest.mark.model

SENTENCES = (
    "Lost objects are stored behind the net loft for 60 days.",
    "Whites are washed on board at 60 degrees and are changed daily.",
    "The new gangway was delivered for EUR 64,000.",
)


@pytest.fixture(scope="module")
def gguf() -> Path:
    return embedded_gguf(Settings().resolved_home)


def requests() -> list[Request]:
    form = "Answer with a question and its answer as JSON."
    return [
        Request([{"role": "user", "content": f"{form}\n\n{sentence}"}], Answer)
        for sentence in SENTENCES
    ]


def test_the_same_request_gets_the_same_reply_whatever_came_before(gguf: Path) -> None:
    asked = requests()
    with embedded_server(gguf) as base_url:
        client = ChatClient(base_url, LLMConfig(max_tokens=48), None)
        first = [client(request).text for request in asked]
        second = [client(request).text for request in reversed(asked)][::-1]
    assert first == second
    assert all(text.strip().startswith("{") for text in first)
    with embedded_server(gguf) as base_url:
        client = ChatClient(base_url, LLMConfig(max_tokens=48), None)
        assert client(asked[-1]).text == first[-1]


def test_the_server_ends_when_its_parent_is_killed(gguf: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tasks.llm.embedded_server import embedded_server\n"
        "with embedded_server(Path(sys.argv[1])) as url:\n"
        "    print(url, flush=True)\n    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(gguf)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().strip().split(":")[2].split("/")[0])
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 20
    while _listens(port) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _listens(port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
