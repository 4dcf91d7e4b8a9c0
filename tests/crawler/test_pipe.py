"""Standard output as bytes: what readers and disks do to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crawler.pipe import standard_output
from pipelines.errors import OutOfSpace

WRITE = """
import sys
from crawler.pipe import standard_output
with standard_output() as out:
    out.write(b"x" * int(sys.argv[1]))
print("went on", file=sys.stderr)
"""
TELL = """
import sys
from crawler.pipe import standard_output
from pipelines.errors import OutOfSpace
try:
    with standard_output() as out:
        out.write(b"x" * 10)
except OutOfSpace as error:
    print(error, file=sys.stderr)
    raise SystemExit(error.exit_status)
"""


def test_bytes_are_flushed_at_the_end(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with standard_output() as out:
        out.write("科技\n".encode())
    assert capsysbinary.readouterr().out == "科技\n".encode()


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), standard_output():
        raise ZeroDivisionError


def test_when_the_reader_has_gone_the_block_ends_quietly_and_the_program_goes_on() -> None:
    command = [sys.executable, "-c", WRITE, str(2**22)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"went on\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_is_full_is_out_of_space() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", TELL], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == OutOfSpace.exit_status
    assert b"standard output: no space left" in done.stderr
