"""The store on S3, as a server speaks it that is not Amazon's."""

import subprocess
import sys

import pytest

from data_contracts.errors import DatasetError, StorageError
from tasks.store import MANIFEST, get_files, put_folder, shared_store
from tests.stack import answers, free_port, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("moto", reason="needs moto: pip install '.[services]'")
    port = free_port()
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        command = [sys.executable, "-m", "moto.server", "-p", str(port)]
        running = subprocess.Popen(command, stdout=log, stderr=log)
    wait_until(lambda: answers(f"http://127.0.0.1:{port}"), 120)
    yield f"http://127.0.0.1:{port}", running
    running.kill()
    running.wait()


@pytest.fixture
def store(server, monkeypatch):
    import urllib.request

    url, _ = server
    login = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    place = {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"}
    given = {"TEMPER_STORE": "s3://shared/temper/", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (login | place | given).items():
        monkeypatch.setenv(name, value)
    made = urllib.request.Request(f"{url}/shared", method="PUT")
    urllib.request.urlopen(made, timeout=30).close()
    return shared_store()


def test_a_folder_goes_there_and_comes_back_checked_and_is_deleted(store, tmp_path):
    from data_contracts.base import file_sha256

    (tmp_path / "here" / "weights").mkdir(parents=True)
    (tmp_path / "here" / "weights" / "a").write_bytes(bytes(range(256)) * 40_000)  # 10 MB
    (tmp_path / "here" / "b").write_bytes(b"")
    files = {name: file_sha256(tmp_path / "here" / name) for name in ("weights/a", "b")}
    assert not store.has(f"models/x/{MANIFEST}")
    assert store.read(f"models/x/{MANIFEST}") is None
    assert store.names("models") == []

    put_folder(store, "models/x", tmp_path / "here", files, b"{}")
    assert store.has(f"models/x/{MANIFEST}")
    assert store.names("models") == ["x"]
    assert store.names("models/x/files") == sorted(files.values())
    get_files(store, "models/x", files, tmp_path / "there")
    assert {name: file_sha256(tmp_path / "there" / name) for name in files} == files

    store.write(f"models/x/files/{files['b']}", b"something else")
    with pytest.raises(DatasetError, match="the file b is not the one that its manifest names"):
        get_files(store, "models/x", files, tmp_path / "again")
    assert store.remove("models/x")
    assert not store.remove("models/x")
    assert store.names("models") == []
    with pytest.raises(DatasetError, match="is not there"):
        get_files(store, "models/x", files, tmp_path / "gone")


def test_a_store_that_is_gone_is_an_error_that_says_so(store, server, tmp_path):
    store.write("splits/l.json", b"{}")
    assert store.read("splits/l.json") == b"{}"
    _, running = server
    running.kill()
    running.wait()
    (tmp_path / "file").write_bytes(b"content")
    for action in (
        lambda: store.read("splits/l.json"),
        lambda: store.names("splits"),
        lambda: store.put(tmp_path / "file", "x"),
        lambda: store.has("x"),
        lambda: store.remove("splits"),
    ):
        with pytest.raises(StorageError, match="s3://shared/temper/.* cannot be .*TEMPER_STORE"):
            action()
