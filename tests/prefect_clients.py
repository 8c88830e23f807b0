"""Prefect's clients in tests begin and end with the server that they talk to.

Prefect keeps one sender of events a process, bound to the server of the first event. One that is
left over takes the events meant for the next test's server: a verb run in this process leaves one
whose temporary server lives on, and one whose server is dead keeps the next test from ending.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings


@contextmanager
def talking_to(api: str) -> Iterator[None]:
    """Talk to this server for a while; what was to be sent is sent when it is over."""
    _send_all()
    with temporary_settings({PREFECT_API_URL: api}):
        try:
            yield
        finally:
            _send_all()


def table_shown(key: str) -> list[dict[str, Any]]:
    """Return the newest table that a run left under a key for its page in Prefect.

    Asked of the API: the client of Prefect 3.8.8 sends nulls, which its server refuses.
    """
    asked = {"artifacts": {"key": {"any_": [key]}}, "sort": "UPDATED_DESC", "limit": 1}
    answer = httpx.post(f"{PREFECT_API_URL.value()}/artifacts/filter", json=asked)
    (found,) = answer.raise_for_status().json()
    rows: list[dict[str, Any]] = json.loads(found["data"])
    return rows


def _send_all() -> None:
    EventsWorker.drain_all()
    APILogWorker.drain_all()
