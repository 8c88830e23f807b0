"""The proxy of deploy/compose keeps strangers out: its real program with its real configuration."""

import psutil
import pytest

from tests.loopback import LoopbackHandler, LoopbackServer
from tests.proxy import MLFLOW, PASSWORD, PREFECT, USER, Proxy, basic, caddy

LOGIN = (USER, PASSWORD)


class Upstream(LoopbackServer):
    """Stands for a server behind the proxy; keeps what reached it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, str, dict[str, str]]] = []
        super().__init__(_Handler)

    @property
    def address(self) -> str:
        return self.base_url.removeprefix("http://").removesuffix("/v1")


class _Handler(LoopbackHandler):
    endpoint: Upstream

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.endpoint.reached.append((self.command, self.path, headers))
        self.send(200, b"{}", {"X-Frame-Options": "ALLOWALL", "Server": "a name and a version"})

    do_GET = do_POST = do_DELETE = _note  # noqa: N815 - http.server's names


@pytest.fixture(scope="module")
def upstream():
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def started(upstream, tmp_path_factory):
    program = caddy()
    if program is None:
        pytest.skip("needs Caddy: pip install '.[services]', or the system's package")
    folder = tmp_path_factory.mktemp("proxy")
    running = Proxy(program, folder, prefect=upstream.address, mlflow=upstream.address)
    yield running
    running.close()


@pytest.fixture
def proxy(started, upstream):
    upstream.reached.clear()
    return started


# Paths that differ from the API's by spelling alone, so that the page would answer them.
PAGES = ["/", "/runs", "/api", "/apis/", "/API/flows", "/api/../runs", "/api/%2e%2e/runs", "//api/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_without_the_login_is_refused_and_reaches_nothing(path, proxy, upstream):
    for login in (None, (USER, "guessed"), ("stranger", PASSWORD), ("", "")):
        answer = proxy.ask(PREFECT, path, login)
        assert answer.status == 401
        assert answer.headers["Www-Authenticate"].startswith("Basic")
    assert upstream.reached == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_no_way_of_asking_goes_round_the_login(method, proxy, upstream):
    assert proxy.ask(PREFECT, "/", method=method).status == 401
    named = {"X-Forwarded-User": USER, "X-Original-URL": "/api/flows", "Authorization": "Bearer x"}
    assert proxy.ask(PREFECT, "/", headers=named).status == 401
    assert upstream.reached == []


def test_the_right_login_passes(proxy, upstream):
    assert proxy.ask(PREFECT, "/runs", LOGIN).status == 200
    assert [(method, path) for method, path, _ in upstream.reached] == [("GET", "/runs")]


@pytest.mark.parametrize(("host", "path"), [(PREFECT, "/api/flows/count"), (MLFLOW, "/")])
def test_what_has_a_login_of_its_own_gets_the_one_that_was_sent(host, path, proxy, upstream):
    proxy.ask(host, path)
    proxy.ask(host, path, ("people", "of the house"))
    sent = [headers.get("authorization") for _, _, headers in upstream.reached]
    assert sent == [None, basic("people", "of the house")]
    assert upstream.reached[0][2]["x-forwarded-proto"] == "https"


@pytest.mark.parametrize("host", [PREFECT, MLFLOW])
def test_without_tls_there_is_nothing_but_the_way_to_it(host, proxy, upstream):
    answer = proxy.ask_plainly(host, "/api/flows?x=1", {"Authorization": basic(*LOGIN)})
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://{host}/api/flows?x=1"
    assert upstream.reached == []


def test_another_name_leads_nowhere(proxy, upstream):
    answer = proxy.ask(PREFECT, "/", LOGIN, headers={"Host": "elsewhere.example"})
    assert (answer.status, answer.body) == (200, b"")
    assert upstream.reached == []


@pytest.mark.parametrize(("host", "status"), [(PREFECT, 401), (MLFLOW, 200)])
def test_answers_carry_strict_headers_and_name_no_server_behind(host, status, proxy):
    answer = proxy.ask(host, "/")
    assert answer.status == status
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.get_all("X-Frame-Options") == ["SAMEORIGIN"]
    assert answer.headers.get_all("Referrer-Policy") == ["same-origin"]
    assert answer.headers.get("Server", "Caddy") == "Caddy"  # no version, and not what is behind


def test_it_listens_on_the_two_ports_of_the_web_alone(proxy):
    listening = psutil.Process(proxy.process.pid).net_connections(kind="inet")
    bound = {each.laddr.port for each in listening if each.status == psutil.CONN_LISTEN}
    assert bound == {proxy.http, proxy.https}
