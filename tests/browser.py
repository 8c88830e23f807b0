"""Headless Chromium for tests: that of `make browser` first, then the system's."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PACKAGED = Path(sys.prefix) / "services" / "chromium"
_OF_THE_SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As much as a machine needs that does much else; each wait ends when what it waits for is there.
PATIENCE_MS = 180_000


def missing() -> str | None:
    """Return what keeps a browser from being started here, None if nothing does."""
    if find_spec("playwright") is None:
        return "needs playwright: pip install '.[dev]'"
    if _program() is None:
        return "needs Chromium: `make browser` where npm is, or the system's package"
    return None


@contextmanager
def open_page() -> Iterator["Page"]:
    """Yield an empty page of a new browser; skip the test where the browser does not start."""
    from playwright.sync_api import Error, sync_playwright

    program = _program()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=program,
                args=["--no-sandbox", "--disable-dev-shm-usage"],  # as root, in a small /dev/shm
                env=_environment(),
                timeout=PATIENCE_MS,
            )
        except Error as error:
            pytest.skip(f"{program} does not start here: {error.message[:400]}")
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.context.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def _program() -> str | None:
    if (_PACKAGED / "chromium").is_file():
        return str(_PACKAGED / "chromium")
    found = (shutil.which(name) for name in _OF_THE_SYSTEM)
    return next(filter(None, found), None)


def _environment() -> dict[str, str]:
    """Let the packaged one find the libraries and fonts that came with it."""
    if not _PACKAGED.is_dir():
        return dict(os.environ)
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(_PACKAGED / "lib"),
        "FONTCONFIG_FILE": str(_PACKAGED / "fonts.conf"),
    }
