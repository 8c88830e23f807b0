"""Folders, globs and addresses."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from data_contracts.errors import DocumentsError
from tasks.ingestion.config import IngestionConfig
from tasks.ingestion.discover import Documents, documents_digest, find_files
from tasks.ingestion.ingest import ingest_documents


def paths(documents: Documents) -> list[str]:
    return [file.relative for file in find_files(documents, IngestionConfig())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.md", "b.txt", "sub/c.md", "sub/deep/d.md", ".hidden/e.md"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Words of {name}.")
    return tmp_path / "docs"


@pytest.fixture
def memory(folder: Path) -> Iterator[str]:
    filesystem = fsspec.filesystem("memory")
    filesystem.put(f"{folder}/", "/bucket/docs", recursive=True)
    yield "memory://bucket/docs"
    filesystem.rm("/bucket", recursive=True)


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder, with an ETag, and keeps count of what is downloaded."""

    downloads: list[str]
    tag = ""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            tag = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            self.send_header("ETag", f'{self.tag}"{tag}"')
        super().end_headers()

    def do_GET(self) -> None:
        if Path(self.path).suffix in (".md", ".txt"):
            self.downloads.append(self.path)
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def http(folder: Path) -> Iterator[tuple[str, type[_Handler]]]:
    handler = type("Handler", (_Handler,), {"downloads": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_glob_selects_below_its_fixed_part(folder: Path) -> None:
    assert paths(f"{folder}/**/*.md") == ["a.md", "sub/c.md", "sub/deep/d.md"]
    assert paths(f"{folder}/*.md") == ["a.md"]
    assert paths(folder / "s*" / "*.md") == ["sub/c.md"]


def test_a_folder_whose_name_looks_like_a_glob_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "docs [2026]").mkdir()
    (tmp_path / "docs [2026]" / "a.md").write_text("x")
    assert paths(tmp_path / "docs [2026]") == ["a.md"]


def test_one_file_is_a_source(folder: Path) -> None:
    assert paths(folder / "sub" / "c.md") == ["c.md"]


def test_several_sources_keep_their_paths_apart(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "docs"
    other.mkdir(parents=True)
    (other / "a.md").write_text("x")
    assert paths([folder / "sub", other]) == ["docs/a.md", "sub/c.md", "sub/deep/d.md"]
    both = paths([folder, other])
    assert f"{tmp_path.name}/docs/a.md" in both
    assert "other/docs/a.md" in both
    # two patterns in one folder are one source, and a file that both name is one file
    assert paths([f"{folder}/*.md", f"{folder}/a.*"]) == ["a.md"]


def test_addresses_are_listed_like_folders(memory: str, folder: Path) -> None:
    here = ["a.md", "b.txt", "sub/c.md", "sub/deep/d.md"]
    assert paths(memory) == paths(f"file://{folder}") == paths(folder) == here
    assert paths(f"{memory}/*.md") == ["a.md"]
    assert paths(f"{memory}/**/*.md") == ["a.md", "sub/c.md", "sub/deep/d.md"]
    assert paths(f"{memory}/sub/c.md") == ["c.md"]


def test_remote_documents_are_read_and_named_by_content(
    memory: str, folder: Path, tmp_path: Path
) -> None:
    config = IngestionConfig()
    result = ingest_documents(memory, config, tmp_path / "cache")
    assert result.kept.equals(ingest_documents(folder, config, tmp_path / "cache").kept)
    before = documents_digest(find_files(memory, config))
    assert before == documents_digest(find_files(folder, config))
    fsspec.filesystem("memory").pipe("/bucket/docs/a.md", b"Other words.")
    assert documents_digest(find_files(memory, config)) != before


def test_files_with_a_checksum_are_downloaded_once(http, tmp_path: Path, folder: Path) -> None:
    address, handler = http
    config = IngestionConfig()

    def digest_and_texts() -> tuple[str, list[str]]:
        handler.downloads.clear()
        digest = documents_digest(find_files(address, config))
        assert handler.downloads == []
        return digest, ingest_documents(address, config, tmp_path / "c").kept["path"].to_pylist()

    first = digest_and_texts()
    assert first[1] == ["a.md", "b.txt", "sub/c.md", "sub/deep/d.md"]
    assert len(handler.downloads) == 4
    assert digest_and_texts() == first
    assert handler.downloads == []
    (folder / "a.md").write_text("Changed words.")
    assert digest_and_texts()[0] != first[0]
    assert handler.downloads == ["/a.md"]


def test_a_weak_tag_is_no_checksum(http, tmp_path: Path) -> None:
    address, handler = http
    handler.tag = "W/"
    assert {file.checksum for file in find_files(address, IngestionConfig())} == {""}


def test_one_page_is_one_file_not_its_links(http) -> None:
    address, _ = http
    assert paths(f"{address}sub/c.md") == ["c.md"]


def test_what_is_missing_is_said() -> None:
    with pytest.raises(DocumentsError, match="package is missing.*[Ii]nstall s3fs"):
        paths("s3://bucket/docs")
    with pytest.raises(DocumentsError, match="Known protocols: .*memory"):
        paths("nonsense://bucket/docs")
    with pytest.raises(DocumentsError, match="memory://nothing cannot be listed"):
        paths("memory://nothing")
    with pytest.raises(DocumentsError, match="cannot be listed"):
        paths("http://127.0.0.1:9/docs/")


def test_a_server_that_fails_stops_the_run(http, tmp_path: Path) -> None:
    address, handler = http
    config = IngestionConfig()
    handler.do_GET_whole = handler.do_GET

    def do_GET(self: _Handler) -> None:
        if self.path == "/b.txt":
            self.send_error(503)
        else:
            self.do_GET_whole()

    handler.do_GET = do_GET
    with pytest.raises(DocumentsError, match=r"b\.txt could be listed, but not read, 3 times"):
        ingest_documents(address, config, tmp_path / "cache")
