"""The store that machines share, on whatever fsspec can write to: copies of what homes hold.

    <TEMPER_STORE>/datasets/<stage>/<fingerprint>/manifest.json     written last
    <TEMPER_STORE>/datasets/<stage>/<fingerprint>/files/<sha256>    the files that it names
    <TEMPER_STORE>/models/<fingerprint>/...                         the same of tuned models
    <TEMPER_STORE>/unfinished/<fingerprint>/...                     of trainings broken off
    <TEMPER_STORE>/forgotten/, <TEMPER_STORE>/splits/               what all homes must know

Files lie under the hash of their bytes: two workers that copy at once write the same under the
same name, or something else under another one, and whichever manifest came last is whole.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

from data_contracts.base import file_sha256
from data_contracts.errors import ConfigError, DatasetError, ModelError, StorageError
from tasks.settings import Settings
from tasks.whole_file import whole_file

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"

# A store that does not answer holds a run up so long before the run goes on alone, or ends.
_CONNECT_SECONDS, _ANSWER_SECONDS, _TRIES = 5, 60, 3

_BLOCK = 1 << 22  # bytes that are copied at a time

_HEX = frozenset("0123456789abcdef")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Store:
    """A place that several machines read and write.

    Attributes:
        address: As the setting has it, for messages.
        root: Its path on the file system.
        filesystem: What fsspec opened.
    """

    address: str
    root: str
    filesystem: Any = field(repr=False, compare=False)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of that name, None if there are none.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        return self._found("read", name, lambda path: bytes(self.filesystem.cat_file(path)))

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, in one step.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        self._guarded("written", name, lambda path: self._write(path, content))

    def has(self, name: str) -> bool:
        """Return whether there is a file of that name.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        return self._guarded("read", name, lambda path: bool(self.filesystem.exists(path)))

    def names(self, folder: str) -> list[str]:
        """Return the names of what lies directly in a folder, sorted; none if there is no folder.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        return self._found("listed", folder, self._names) or []

    def put(self, path: Path, name: str) -> None:
        """Copy a file there.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        self._guarded("written", name, lambda there: self._put(path, there))

    def get(self, name: str, path: Path) -> None:
        """Copy a file here; its bytes are not looked at.

        Raises:
            DatasetError: There is none.
            StorageError: The store does not answer, or the file cannot be written.
        """
        if not self._found("read", name, lambda there: self._get(there, path)):
            raise DatasetError(f"{self.address}/{name} is named by its manifest and is not there.")

    def remove(self, folder: str) -> bool:
        """Delete a folder with all in it; return whether there was one.

        Raises:
            StorageError: The store does not answer, or refuses.
        """
        return bool(self._found("deleted", folder, self._remove))

    def _write(self, path: str, content: bytes) -> None:
        with self._target(path) as target:
            target.write(content)

    def _put(self, path: Path, there: str) -> None:
        # fsspec's own way first makes an object for each folder above it
        with path.open("rb") as source, self._target(there) as target:
            shutil.copyfileobj(source, target, _BLOCK)

    def _target(self, path: str) -> AbstractContextManager[Any]:
        """Return a stream for a file that is replaced once it is whole.

        Object stores do so by themselves, a disk does not.
        """
        protocol = self.filesystem.protocol
        if "file" in ([protocol] if isinstance(protocol, str) else protocol):
            return whole_file(Path(path))
        return self.filesystem.open(path, "wb")  # type: ignore[no-any-return]

    def _get(self, there: str, path: Path) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.filesystem.get_file(there, str(path))
        return True

    def _names(self, path: str) -> list[str]:
        self.filesystem.invalidate_cache()  # others write here too
        found = self.filesystem.ls(path, detail=False)
        return sorted({str(name).rstrip("/").rpartition("/")[2] for name in found})

    def _remove(self, path: str) -> bool:
        self.filesystem.invalidate_cache()
        self.filesystem.rm(path, recursive=True)
        return True

    def _found(self, what: str, name: str, action: Callable[[str], _T]) -> _T | None:
        """Run an action on a path; None where it finds nothing there."""

        def tried(path: str) -> _T | None:
            try:
                return action(path)
            except FileNotFoundError:
                return None

        return self._guarded(what, name, tried)

    def _guarded(self, what: str, name: str, action: Callable[[str], _T]) -> _T:
        """Run an action on a path.

        Raises:
            StorageError: Whatever the file system's package raised.
        """
        try:
            return action(f"{self.root}/{name}")
        # packages of fsspec's protocols raise what they like
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise StorageError(
                f"{self.address}/{name} cannot be {what} ({cause}). Check TEMPER_STORE, the "
                "network and the credentials in the environment."
            ) from error


def shared_store() -> Store | None:
    """Return the store that the environment names; None where this machine shares nothing.

    Raises:
        ConfigError: Its address cannot be opened.
    """
    address = Settings().store
    return None if address is None else _opened(address, _endpoint())


@cache
def _opened(address: str, endpoint: str | None) -> Store:
    import fsspec

    try:
        if address.startswith("s3://"):
            filesystem, root = _s3(endpoint), address.removeprefix("s3://")
        else:
            options = {"auto_mkdir": True} if _is_disk(address) else {}
            filesystem, root = fsspec.core.url_to_fs(address, **options)
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"TEMPER_STORE is {address}, which cannot be opened: {error}. Write an address such "
            "as s3://bucket/temper, or a folder that all machines have."
        ) from error
    return Store(address.rstrip("/"), root.rstrip("/"), filesystem)


def _is_disk(address: str) -> bool:
    return "://" not in address or address.startswith(("file://", "local://"))


def _endpoint() -> str | None:
    """Return where S3 is spoken, where that is not Amazon: what their own programs look at."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _s3(endpoint: str | None) -> Any:
    """Return S3 as Arrow speaks it: s3fs takes a boto3 older than the one that MLflow gets."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "request_timeout": _ANSWER_SECONDS,
        "retry_strategy": AwsStandardS3RetryStrategy(max_attempts=_TRIES),
        "allow_delayed_open": True,  # a small file is one request
    }
    if endpoint is not None:
        place = urlsplit(endpoint)
        if place.scheme not in ("http", "https"):
            raise ValueError(f"AWS_ENDPOINT_URL is {endpoint}, and should begin with https://")
        options |= {"endpoint_override": place.netloc, "scheme": place.scheme}
    return ArrowFSWrapper(S3FileSystem(**options))


def on_store(action: Callable[[Store], _T], otherwise: str) -> _T | None:
    """Do something with the store, if there is one; where that fails it is said, and that is all.

    A copy is a convenience: a run without it makes things itself.

    Args:
        action: What to do.
        otherwise: What is the case where it fails, for the log.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    store = shared_store()
    if store is None:
        return None
    try:
        return action(store)
    except (DatasetError, ModelError, StorageError) as error:
        logger.warning("%s: %s", otherwise, error)
        return None


def taken(what: str, fetch: Callable[[Store], _T | None]) -> _T | None:
    """Return what was fetched from the store, if there is one and it has it.

    Args:
        what: Is asked for, for the log: a stage.
        fetch: Brings it here, or returns None where the store has none.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """
    return on_store(fetch, f"{what}: not taken from the store, but made here")


def offered(
    what: str, place: str, folder: Path, made_now: bool, copy: Callable[[Store], None]
) -> None:
    """Copy a finished folder to the store, if there is one; where that fails, that is said.

    Args:
        what: Made the folder, for the log: a stage.
        place: The folder's name there.
        folder: The folder here.
        made_now: Whether it was made just now. Then it takes the place of what may lie there under
            its name and was refused; else what lies there stays.
        copy: Copies it.

    Raises:
        ConfigError: TEMPER_STORE cannot be opened.
    """

    def unless_there(store: Store) -> None:
        if made_now or not store.has(f"{place}/{MANIFEST}"):
            copy(store)

    on_store(
        unless_there,
        f"{what}: whole in {folder}, but not copied to the store; the next run that uses it tries "
        "again",
    )


def put_folder(
    store: Store, place: str, folder: Path, files: Mapping[str, str], manifest: bytes
) -> None:
    """Copy a finished folder there: its files first, its manifest last.

    Args:
        store: Where to.
        place: The folder's name there.
        folder: The folder here.
        files: Each file's name within it, and its SHA-256.
        manifest: What its manifest says.

    Raises:
        StorageError: The store does not answer, or refuses; then there is no new manifest.
    """
    for name, sha256 in files.items():
        store.put(folder / name, f"{place}/files/{sha256}")
    store.write(f"{place}/{MANIFEST}", manifest)


@contextmanager
def fetched_files(
    store: Store, place: str, files: Mapping[str, str], target: Path
) -> Iterator[Path]:
    """Yield a folder with the checked files of a place; who takes it moves it to its target.

    It lies beside the target, so that the move is one step. What was not moved is deleted.

    Args:
        store: Where from.
        place: The folder's name there.
        files: Each file's name and SHA-256, as the manifest has them.
        target: Where the folder is to lie.

    Raises:
        DatasetError: A name leads out of the folder, or a file is not what the manifest says.
        StorageError: The store does not answer, or a file cannot be written.
    """
    parent = target.parent
    staged: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{target.name[:8]}-", dir=parent))
        get_files(store, place, files, staged)
        yield staged
    except OSError as error:
        raise StorageError(
            f"Cannot write {place} of the store below {parent}: {error}. Free disk space, then run "
            "again."
        ) from error
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)  # it is gone where all went well


def get_files(store: Store, place: str, files: Mapping[str, str], folder: Path) -> None:
    """Copy the files that a manifest names into a new folder, each checked by its hash.

    Args:
        store: Where from.
        place: The folder's name there.
        files: Each file's name and SHA-256, as the manifest has them.
        folder: Where to.

    Raises:
        DatasetError: A name leads out of the folder, or a file is not what the manifest says.
        StorageError: The store does not answer, or a file cannot be written.
    """
    for name, sha256 in files.items():
        if not _is_inside(name) or not _is_sha256(sha256):
            raise DatasetError(
                f"The manifest in {store.address}/{place} names a file {name!r} with the hash "
                f"{sha256!r}: no name within a dataset, or no SHA-256."
            )
        store.get(f"{place}/files/{sha256}", folder / name)
        if file_sha256(folder / name) != sha256:
            raise DatasetError(
                f"{store.address}/{place}: the file {name} is not the one that its manifest names."
            )


def _is_inside(name: str) -> bool:
    """Whether a name from a manifest is that of a file below its folder, other than itself."""
    path = PurePosixPath(name)
    plain = str(path) == name and not set(name) & {"\\", "\0"}
    below = not path.is_absolute() and ".." not in path.parts  # "//a" has the root "//"
    return plain and below and name not in ("", ".", MANIFEST)


def _is_sha256(value: str) -> bool:
    return len(value) == 64 and set(value) <= _HEX
