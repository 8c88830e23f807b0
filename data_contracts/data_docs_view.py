"""Seals each page of Great Expectations before it is written; compiles templates once a process.

Its site builder is told of these classes by name, as they need Great Expectations, which takes
seconds to import.
"""

from typing import Any

from great_expectations.render.renderer.site_builder import SiteBuilder
from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2.bccache import Bucket, BytecodeCache

from data_contracts.data_docs import sealed


class _InMemory(BytecodeCache):
    """Keeps what was compiled, by the template's name and text."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        compiled = self._compiled.get((bucket.key, bucket.checksum))
        if compiled is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = _InMemory()


class PageView(DefaultJinjaPageView):  # type: ignore[misc]
    """A page of a suite or of its outcome."""

    def __init__(self, *directories: str | None, **named: str | None) -> None:
        super().__init__(*directories, **named)
        self.env.bytecode_cache = _COMPILED

    def render(self, *content: Any, **named: Any) -> str:
        """Return the page's text."""
        return sealed(super().render(*content, **named))


class IndexPageView(DefaultJinjaIndexPageView):  # type: ignore[misc]
    """The page that lists them."""

    def __init__(self, *directories: str | None, **named: str | None) -> None:
        super().__init__(*directories, **named)
        self.env.bytecode_cache = _COMPILED

    def render(self, *content: Any, **named: Any) -> str:
        """Return the page's text."""
        return sealed(super().render(*content, **named))


class Site(SiteBuilder):  # type: ignore[misc]
    """The pages alone: fonts, pictures and styles (4 MB) are nothing that sealed pages load."""

    def build(self, *parts: Any, **named: Any) -> Any:
        """Write the pages and return the address of the first."""
        self.target_store.copy_static_assets = lambda: None
        return super().build(*parts, **named)
