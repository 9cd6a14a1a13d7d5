from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pytest_devicefarm.core.errors import FarmAnswerError
from pytest_devicefarm.core.har import har_bytes

LIMIT = 1 << 20


def a_har(**request: Any) -> dict[str, Any]:
    return {"log": {"entries": [{"request": {"url": "https://shop.example/", **request}}]}}


def packed(folder: Path, **files: str) -> Path:
    path = folder / "log.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def cleaned(folder: Path, har: Any) -> Any:
    return json.loads(har_bytes(packed(folder, **{"x.har": json.dumps(har)}), limit=LIMIT))["log"]["entries"][0]


def test_the_first_har_is_taken_whatever_its_name_says(tmp_path: Path) -> None:
    archive = packed(tmp_path, **{"readme.txt": "?", "../../etc/x.HAR": json.dumps(a_har()), "second.har": "{}"})
    assert b"shop.example" in har_bytes(archive, limit=LIMIT)
    assert [path.name for path in tmp_path.iterdir()] == ["log.zip"]


def test_json_will_do_where_there_is_no_har(tmp_path: Path) -> None:
    assert har_bytes(packed(tmp_path, **{"log.json": json.dumps(a_har())}), limit=LIMIT)


def test_a_har_that_is_not_packed_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(json.dumps(a_har()))
    assert har_bytes(tmp_path / "log", limit=LIMIT)


def test_headers_and_cookies_are_hidden(tmp_path: Path) -> None:
    request = cleaned(
        tmp_path,
        a_har(
            headers=[{"name": "authorization", "value": "Bearer s3cret"}, {"name": "Accept", "value": "*/*"}],
            cookies=[{"name": "sid", "value": "s3cret"}],
        ),
    )["request"]
    assert request["headers"] == [{"name": "authorization", "value": "***"}, {"name": "Accept", "value": "*/*"}]
    assert request["cookies"][0]["value"] == "***"


def test_secrets_in_addresses_are_hidden_and_the_rest_is_kept(tmp_path: Path) -> None:
    request = cleaned(tmp_path, a_har(url="https://ann:s3cret@shop.example/a?page=2&access_token=s3cret#b"))["request"]
    assert request["url"] == "https://shop.example/a?page=2&access_token=***#b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"user": "ann", "password": "s3cret"}', '{"user": "ann", "password": "***"}'),
        ('{"token": {"value": "s3cret"}}', '{"token": "***"}'),
        ("user=ann&password=s3cret", "user=ann&password=***"),
        ("just words", "just words"),
        ("{half", "{half"),
        ('{"password": "s3cret", "cut', '{"password": "***", "cut'),
        ("[" * 100_000, "***"),
    ],
)
def test_secrets_in_bodies_are_hidden(tmp_path: Path, text: str, expected: str) -> None:
    assert cleaned(tmp_path, a_har(postData={"text": text}))["request"]["postData"]["text"] == expected


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}", '{"log": {"entries": {}}}', "[" * 100_000])
def test_what_is_no_har_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    with pytest.raises(FarmAnswerError, match="no HAR"):
        har_bytes(packed(tmp_path, **{"x.har": content}), limit=LIMIT)


def test_an_archive_without_har_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FarmAnswerError, match="holds no HAR"):
        har_bytes(packed(tmp_path, **{"x.txt": "?"}), limit=LIMIT)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(FarmAnswerError, match="far more than its size"):
        har_bytes(packed(tmp_path, **{"x.har": " " * (8 << 20)}), limit=64 << 20)


def test_a_har_larger_than_allowed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FarmAnswerError, match="larger than the 100 bytes"):
        har_bytes(packed(tmp_path, **{"x.har": json.dumps(a_har(x="y" * 200))}), limit=100)


def test_too_many_entries_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FarmAnswerError, match="entries"):
        har_bytes(packed(tmp_path, **{f"{number}.har": "" for number in range(1001)}), limit=LIMIT)


def test_a_broken_archive_is_an_error(tmp_path: Path) -> None:
    archive = packed(tmp_path, **{"x.har": json.dumps(a_har(x="abc" * 2000))})
    data = bytearray(archive.read_bytes())
    data[40:60] = b"\xff" * 20
    archive.write_bytes(bytes(data))
    with pytest.raises(FarmAnswerError, match="broken"):
        har_bytes(archive, limit=LIMIT)
