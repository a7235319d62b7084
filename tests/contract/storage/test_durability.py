"""What survives the end of the server, polite or not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.contract.storage.conftest import MakeClient
from tests.contract.storage.receiver import Receiver
from tests.contract.storage.server import ROOT, StorageServer

UNIT = 256 * 1024


def test_a_stopped_server_ends_with_zero_and_keeps_everything(
    own_server: StorageServer, make_client: MakeClient
) -> None:
    client = make_client(own_server.url)
    blob = client.create_bucket("kept").blob("a/b")
    blob.metadata = {"k": "v"}
    blob.upload_from_string(b"data")
    assert own_server.stop() == 0
    own_server.start()
    found = client.bucket("kept").get_blob("a/b")
    assert found is not None
    assert (found.generation, found.metadata, found.download_as_bytes()) == (blob.generation, {"k": "v"}, b"data")


def test_a_killed_server_keeps_and_tells_what_it_acknowledged(
    own_server: StorageServer, make_client: MakeClient, receiver: Receiver
) -> None:
    bucket = make_client(own_server.url).create_bucket("kept")
    bucket.notification(topic_name="told-after-a-kill", topic_project="p").create()
    acknowledged: dict[str, bytes] = {}
    writer = threading.Thread(target=_write_until_refused, args=(own_server.url, acknowledged))
    writer.start()
    while len(acknowledged) < 20 and writer.is_alive():
        time.sleep(0.01)
    own_server.kill()
    writer.join()
    own_server.start()
    assert len(acknowledged) >= 20
    for name, data in acknowledged.items():
        assert bucket.blob(name).download_as_bytes() == data
    stored = {blob.name for blob in bucket.list_blobs()}
    assert len(stored) - len(acknowledged) in (0, 1)
    messages = receiver.wait("told-after-a-kill", len(stored))
    assert {message.attributes["objectId"] for message in messages} == stored


def _write_until_refused(url: str, acknowledged: dict[str, bytes]) -> None:
    with httpx.Client(base_url=url) as http:
        for number in range(10_000):
            name, data = f"x{number}", os.urandom(2000)
            try:
                http.post(f"/upload/storage/v1/b/kept/o?uploadType=media&name={name}", content=data)
            except httpx.TransportError:
                return
            acknowledged[name] = data


def test_undelivered_notifications_survive_a_kill(tmp_path: Path, make_client: MakeClient) -> None:
    receiver = Receiver()
    server = StorageServer(tmp_path, receiver.host)
    server.start()
    try:
        bucket = make_client(server.url).create_bucket("told")
        bucket.notification(topic_name="uploads", topic_project="p", event_types=["OBJECT_FINALIZE"]).create()
        receiver.stop()
        for number in range(5):
            bucket.blob(f"x{number}").upload_from_string(b"")
        server.kill()
        receiver.start()
        server.start()
        names = {message.attributes["objectId"] for message in receiver.wait("uploads", 5)}
        assert names == {f"x{number}" for number in range(5)}
    finally:
        server.stop()
        receiver.stop()


def test_a_resumable_upload_goes_on_after_a_kill(own_server: StorageServer, make_client: MakeClient) -> None:
    client = make_client(own_server.url)
    bucket = client.create_bucket("kept")
    data = os.urandom(2 * UNIT + 100)
    with httpx.Client(base_url=own_server.url) as http:
        address = http.post("/upload/storage/v1/b/kept/o?uploadType=resumable&name=x").headers["location"]
        http.put(address, content=data[:UNIT], headers={"Content-Range": f"bytes 0-{UNIT - 1}/*"})
        own_server.kill()
        own_server.start()
        status = http.put(address, headers={"Content-Range": "bytes */*"})
        assert status.headers["range"] == f"bytes=0-{UNIT - 1}"
        last = len(data) - 1
        http.put(address, content=data[UNIT:], headers={"Content-Range": f"bytes {UNIT}-{last}/{last + 1}"})
    assert bucket.blob("x").download_as_bytes() == data


def test_a_restart_leaves_no_orphaned_bytes(own_server: StorageServer, make_client: MakeClient, tmp_path: Path) -> None:
    bucket = make_client(own_server.url).create_bucket("kept")
    for _ in range(3):
        bucket.blob("x").upload_from_string(b"data")
    bucket.blob("y").upload_from_string(b"data")
    bucket.blob("y").delete()
    home = tmp_path / "home"
    (home / "incoming" / "left-by-a-crash").write_bytes(b"half")
    own_server.stop()
    own_server.start()
    files = [path for folder in ("objects", "incoming") for path in (home / folder).rglob("*") if path.is_file()]
    assert len(files) == 1


def test_a_second_server_on_the_same_folder_is_refused(own_server: StorageServer, tmp_path: Path) -> None:
    assert own_server.url
    second = subprocess.run(
        [sys.executable, "-m", "local.storage", "--home", str(tmp_path / "home"), "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "in use by another storage server" in second.stderr
