"""How many requests are under way, and what an endpoint asks to wait."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tasks.llm.client import Request
from tasks.llm.throttle import Throttle, retry_after
from tests.endpoint import Endpoint, Reply, completion
from tests.unit.llm.conftest import Answer, Client


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
    ],
)
def test_what_an_endpoint_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = retry_after({"retry-after": date})
    assert seconds is not None
    assert 58 < seconds <= 60


def test_the_places_halve_once_for_a_burst_and_come_back_one_by_one() -> None:
    throttle = Throttle(8)
    with throttle.place() as first, throttle.place() as second:
        throttle.overloaded(first)
        throttle.overloaded(second)  # was under way as well: says nothing new
    assert throttle.limit == 4
    with throttle.place() as later:
        throttle.overloaded(later)
    assert throttle.limit == 2
    for _ in range(3):
        throttle.succeeded()
    assert 3 <= throttle.limit < 4
    for _ in range(100):
        throttle.succeeded()
    assert throttle.limit == 8
    for _ in range(10):
        with throttle.place() as began:
            throttle.overloaded(began)
    assert throttle.limit == 1


def test_no_more_are_under_way_than_there_are_places() -> None:
    throttle = Throttle(3)
    under_way: list[int] = []
    count = threading.Semaphore(3)

    def work() -> None:
        with throttle.place():
            assert count.acquire(blocking=False)
            under_way.append(1)
            time.sleep(0.005)
            count.release()

    with ThreadPoolExecutor(12) as pool:
        for future in [pool.submit(work) for _ in range(40)]:
            future.result()
    assert (len(under_way), throttle.reached) == (40, 3)


def test_all_wait_when_one_is_told_to(endpoint: Endpoint, client: Client) -> None:
    came: list[float] = []

    def respond(number: int, body: dict[str, object]) -> Reply:
        came.append(time.monotonic())
        return (429, {"Retry-After": "0.4"}, "{}") if number == 1 else completion("{}")

    endpoint.respond = respond
    asking = client(concurrency=4)
    threads = [threading.Thread(target=asking, args=(request(n),)) for n in range(4)]
    threads[0].start()
    while not came:
        time.sleep(0.005)
    time.sleep(0.05)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 5
    assert all(moment - came[0] >= 0.38 for moment in came[1:])


def test_the_client_finds_how_much_the_endpoint_can_do(endpoint: Endpoint, client: Client) -> None:
    room = threading.Semaphore(3)
    statuses: Counter[int] = Counter()

    def respond(number: int, body: dict[str, object]) -> Reply:
        if not room.acquire(blocking=False):
            statuses[429] += 1
            return 429, {}, "{}"
        time.sleep(0.01)
        room.release()
        statuses[200] += 1
        return completion(json.dumps({}))

    endpoint.respond = respond
    asking = client(concurrency=16, max_retries=6)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(asking, map(request, range(120))))
    assert statuses[200] == 120
    assert asking.throttle.limit < 8
    assert statuses[429] < 60


def request(number: int) -> Request:
    return Request([{"role": "user", "content": str(number)}], Answer)
