"""A new page folder out of a saved page or a WARC file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pages import folder, make

PAGE = (folder.ROOT / "china_tech" / "t3" / "page.html").read_bytes()
URL = "http://tech.china.com.cn/internet/20220817/390001.shtml"


def test_a_saved_page_becomes_a_folder_with_what_is_made_of_it_today(tmp_path: Path) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(PAGE)
    arguments = ["--url", URL, "--file", str(saved), "--slug", "new", "--fetched-at", "2026-03-02T04:05:06+00:00"]
    assert make.main(arguments, tmp_path) == 0
    made = folder.load(tmp_path / "china_tech" / "new")
    assert made.capture.body == PAGE
    assert made.capture.fetched_at == datetime(2026, 3, 2, 4, 5, 6, tzinfo=UTC)
    assert made.expected == json.loads(json.dumps(folder.observed(made.capture, made.site)))
    assert made.expected["outcome"] == "article"


def test_it_says_what_a_person_does_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(PAGE)
    assert make.main(["--url", URL, "--file", str(saved), "--slug", "new"], tmp_path) == 0
    said = capsys.readouterr()
    made = tmp_path / "china_tech" / "new"
    assert said.out == f"{made}\n"
    assert f"Now read through {made / 'expected.json'}" in said.err


def test_an_unknown_host_is_read_as_any_page_of_the_web(tmp_path: Path) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(PAGE)
    assert make.main(["--url", "https://news.example.org/a/b.html", "--file", str(saved)], tmp_path) == 0
    assert (tmp_path / "web" / "news-example-org-a-b-html" / "expected.json").exists()


def test_a_page_comes_out_of_a_warc_file_by_its_url(tmp_path: Path) -> None:
    warc = tmp_path / "a.warc"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
    fields: tuple[str, ...] = ("WARC/1.1", "WARC-Type: response", f"WARC-Target-URI: {URL}", "WARC-Date: 2026-03-02T04:05:06Z")
    fields += ("WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>", "Content-Type: application/http; msgtype=response")
    head = "\r\n".join((*fields, f"Content-Length: {len(http)}", "", ""))
    warc.write_bytes(head.encode() + http + b"\r\n\r\n")
    assert make.main(["--warc", str(warc), "--url", URL, "--slug", "new"], tmp_path) == 0
    assert folder.load(tmp_path / "china_tech" / "new").expected["outcome"] == "article"
    assert make.main(["--warc", str(warc), "--url", "http://other.example.org/"], tmp_path) == 1


def test_neither_file_nor_warc_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make.main(["--url", URL], tmp_path)
    assert stopped.value.code == 2
    assert "--warc" in capsys.readouterr().err
