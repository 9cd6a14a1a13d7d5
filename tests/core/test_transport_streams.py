from __future__ import annotations

import traceback
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clocks import ManualClock
from support.web import Answer, answering

from pytest_devicefarm.core.errors import FarmAnswerError, FarmNotFound, FarmRefused, FarmUnreachable
from pytest_devicefarm.core.settings import Secret
from pytest_devicefarm.core.transport import Download, Transport

SIGNED = "/builds/shop.apk?X-Amz-Signature=5ec7e7&X-Amz-Credential=AKIA"


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport("http://farm.invalid", auth=("ann", Secret("key-canary")), clock=ManualClock())
    yield transport
    transport.close()


@pytest.fixture
def build(tmp_path: Path) -> Path:
    path = tmp_path / "shop.apk"
    path.write_bytes(b"0123456789" * 100_000)
    return path


# upload


def test_an_upload_keeps_its_length_and_carries_no_credentials(transport: Transport, build: Path) -> None:
    with answering() as server:
        transport.put_file(server.url + SIGNED, build, headers={"x-amz-tagging": "unsaved=true"})
    asked = server.asked[0]
    assert asked.body == build.read_bytes()
    assert asked.headers["Content-Length"] == "1000000"
    assert asked.headers["x-amz-tagging"] == "unsaved=true"
    assert not {"Authorization", "Transfer-Encoding", "Content-Type"} & set(asked.headers)


def test_an_upload_tells_how_far_it_is(transport: Transport, build: Path) -> None:
    told: list[tuple[int, int]] = []
    with answering() as server:
        transport.put_file(server.url + SIGNED, build, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (1_000_000, 1_000_000)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_an_empty_file_has_length_zero(transport: Transport, tmp_path: Path) -> None:
    empty = tmp_path / "empty.zip"
    empty.touch()
    with answering() as server:
        transport.put_file(server.url + SIGNED, empty)
    assert server.asked[0].headers["Content-Length"] == "0"


def test_a_repeated_upload_starts_from_the_first_byte(transport: Transport, build: Path) -> None:
    with answering(Answer(503), Answer()) as server:
        transport.put_file(server.url + SIGNED, build)
    assert [len(asked.body) for asked in server.asked] == [1_000_000, 1_000_000]


def test_an_expired_address_is_refused_without_being_shown(transport: Transport, build: Path) -> None:
    with answering(Answer(403, b"<Error><Code>AccessDenied</Code></Error>")) as server:
        with pytest.raises(FarmRefused, match="AccessDenied") as caught:
            transport.put_file(server.url + SIGNED, build)
        assert caught.value.path == f"{server.url}/builds/shop.apk"
    assert "5ec7e7" not in "".join(traceback.format_exception(caught.value))


def test_an_unreachable_storage_is_said_without_the_signature(transport: Transport, build: Path) -> None:
    with answering(Answer(hang_up=True)) as server, pytest.raises(FarmUnreachable) as caught:
        transport.put_file(server.url + SIGNED, build)
    assert "5ec7e7" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_memory_does_not_grow_with_the_upload(transport: Transport, tmp_path: Path) -> None:
    large = tmp_path / "large.apk"
    with large.open("wb") as file:
        file.truncate(64 * 1024**2)
    with answering(Answer(403)) as server:
        tracemalloc.start()
        with pytest.raises(FarmRefused):
            transport.put_file(server.url + SIGNED, large)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert server.asked[0].size == 64 * 1024**2
    assert peak < 8 * 1024**2


# download


def test_a_download_is_written_and_typed(transport: Transport, tmp_path: Path) -> None:
    target = tmp_path / "video.mp4"
    with answering(Answer(body=b"moving pictures", headers={"Content-Type": "Video/MP4; x=y"})) as server:
        assert transport.download(server.url + SIGNED, target, limit=100) == Download(15, "video/mp4")
    assert target.read_bytes() == b"moving pictures"
    assert "Authorization" not in server.asked[0].headers


def test_a_download_tells_how_far_it_is(transport: Transport, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with answering(Answer(body=b"x" * 600_000)) as server:
        transport.download(
            server.url, tmp_path / "log", limit=10**6, progress=lambda done, total: told.append((done, total))
        )
    assert told[-1] == (600_000, 600_000)


def test_a_download_cut_short_is_an_error_after_its_repeats(transport: Transport, tmp_path: Path) -> None:
    with answering(Answer(body=b"half", length=8)) as server:
        with pytest.raises(FarmUnreachable, match="cut off"):
            transport.download(server.url, tmp_path / "log", limit=100)
        assert len(server.asked) == 4


def test_a_download_cut_short_once_is_taken_again_from_the_start(transport: Transport, tmp_path: Path) -> None:
    with answering(Answer(body=b"half", length=8), Answer(body=b"all of it")) as server:
        transport.download(server.url, tmp_path / "log", limit=100)
    assert (tmp_path / "log").read_bytes() == b"all of it"


@pytest.mark.parametrize("length", [None, 10])
def test_a_download_over_the_limit_stops(transport: Transport, tmp_path: Path, length: int | None) -> None:
    with answering(Answer(body=b"x" * 101, length=length)) as server, pytest.raises(FarmAnswerError):
        transport.download(server.url, tmp_path / "log", limit=9)
    assert (tmp_path / "log").stat().st_size <= 9


def test_an_address_that_has_expired_is_not_found(transport: Transport, tmp_path: Path) -> None:
    with answering(Answer(404)) as server, pytest.raises(FarmNotFound):
        transport.download(server.url + SIGNED, tmp_path / "log", limit=9)


def test_a_storage_may_send_us_on(transport: Transport, tmp_path: Path) -> None:
    with answering(Answer(302, headers={"Location": "/there"}), Answer(body=b"here")) as server:
        assert transport.download(server.url, tmp_path / "log", limit=9).size == 4


@pytest.mark.parametrize("address", ["", "file:///etc/passwd?sig=5ec7e7", "http://[", "not an address"])
def test_an_address_that_is_none_is_the_farms_fault(transport: Transport, tmp_path: Path, address: str) -> None:
    with pytest.raises(FarmAnswerError, match="where an address for a file should be") as caught:
        transport.download(address, tmp_path / "log", limit=9)
    assert "5ec7e7" not in str(caught.value)
