"""One record, one line: whatever a page put into it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.settings import Settings
from scrapy.utils.log import configure_logging

from crawler.logs import OneLineFormatter, handler_of, install, one_line
from pipelines.errors import ArchiveUnusable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("标题 title", "标题 title"),
        ("a\nb", "a\\nb"),
        ("a\r\n2026-11-23 [x] INFO: forged", "a\\r\\n2026-11-23 [x] INFO: forged"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("nul\x00", "nul\\x00"),
    ],
)
def test_what_ends_hides_or_turns_a_line_is_written_as_its_escape(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_text_is_one_line_and_stays_so(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
    assert one_line(line) == line


def test_a_traceback_is_part_of_the_line() -> None:
    try:
        raise ValueError("bad\nnews")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed: %s", ("a\nb",), (type(error), error, error.__traceback__))
    line = OneLineFormatter("%(levelname)s %(message)s").format(record)
    assert line.startswith("ERROR failed: a\\nb\\nTraceback")
    assert len(line.splitlines()) == 1


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    before, level = list(logging.root.handlers), logging.root.level
    libraries = {name: logging.getLogger(name).level for name in ("scrapy", "twisted")}
    yield logging.root
    for name, its in libraries.items():
        logging.getLogger(name).setLevel(its)
    for handler in set(logging.root.handlers) - set(before):
        logging.root.removeHandler(handler)
        with contextlib.suppress(OSError):  # of a full disk
            handler.close()
    logging.root.setLevel(level)


def test_the_settings_of_scrapy_still_choose_file_and_level(tmp_path: Path, root: logging.Logger) -> None:
    chosen = Settings({"LOG_FILE": str(tmp_path / "run.log"), "LOG_LEVEL": "WARNING", "LOG_FORMAT": "%(levelname)s|%(message)s"})
    install(chosen)
    install(chosen)  # a second crawl of the same process
    logging.getLogger("a").warning("一\n二")
    logging.getLogger("a").info("not this")
    assert (tmp_path / "run.log").read_text("utf-8") == "WARNING|一\\n二\n"


@pytest.mark.parametrize(("chosen", "made"), [("INFO", False), ("DEBUG", True)])
def test_records_that_nobody_would_read_are_not_made(root: logging.Logger, chosen: str, made: bool) -> None:
    configure_logging(Settings({"LOG_INSTALL_ROOT_HANDLER": False}))  # as a crawl begins: it sets levels for its own loggers
    install(Settings({"LOG_LEVEL": chosen}))
    assert logging.getLogger("scrapy.core.engine").isEnabledFor(logging.DEBUG) is made
    assert logging.getLogger("scrapy.core.engine").isEnabledFor(logging.INFO)
    assert not logging.getLogger("twisted").isEnabledFor(logging.WARNING)  # as Scrapy has it


def test_a_log_that_is_switched_off_is_off() -> None:
    assert isinstance(handler_of(Settings({"LOG_ENABLED": False})), logging.NullHandler)


def test_a_log_goes_to_standard_error_by_default() -> None:
    handler = handler_of(Settings())
    assert isinstance(handler, logging.StreamHandler)
    assert not isinstance(handler, logging.FileHandler)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.usefixtures("root")
def test_a_log_that_a_full_disk_does_not_take_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    install(Settings({"LOG_FILE": "/dev/full", "LOG_LEVEL": "WARNING"}))
    for _ in range(3):
        logging.getLogger("a").warning("all is well")
    said = capsys.readouterr().err
    assert said.startswith("The log cannot be written (No space left on device)")
    assert said.count("\n") == 1


def test_a_log_that_has_no_place_is_a_fault_of_the_machine() -> None:
    with pytest.raises(ArchiveUnusable, match=r"/none/at/all\.log: No such file"):
        handler_of(Settings({"LOG_FILE": "/none/at/all.log"}))
