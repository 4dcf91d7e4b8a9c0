"""Faults that are ours or the operator's. What a *site* does wrong is a value (`model.Rejection`), never raised.

ArchiveError
├── ConfigurationError        a person can mend it: a seeds file, a setting, an option        exit 20
│   └── SeedsError            a seeds file: file, key, what is wrong, what was expected
├── ArchiveUnusable           the archive folder cannot be created, read or written           exit 21
│   ├── NewerArchive          written by a newer version of this software
│   └── CatalogueDamaged      the database itself fails its integrity check
├── Locked                    another run holds this site                                     exit 22
├── OutOfSpace                the disk, or the quota on it, is full                           exit 23
├── NoProcess                 no process that reads pages can be started                      exit 24
└── DamagedRecord             one WARC record cannot be read; the reader goes on after it

Each class carries its exit status, so that a command ends with `return error.exit_status` and the table in
docs/operations.md is checked against this file.
"""

from __future__ import annotations

from typing import ClassVar


class ArchiveError(Exception):
    """Root of every fault that this software raises on purpose. The message is one or more whole sentences."""

    exit_status: ClassVar[int] = 1


class ConfigurationError(ArchiveError):
    """Something that a person wrote (a seeds file, a setting, an option) is wrong and can be mended."""

    exit_status = 20


class SeedsError(ConfigurationError):
    """A seeds file is wrong. The message names file, key, what is wrong and what was expected."""

    def __init__(self, file: str, key: str, wrong: str, expected: str) -> None:
        super().__init__(f"{file}: {key}: {wrong}. Expected {expected}.")
        self.file, self.key, self.wrong, self.expected = file, key, wrong, expected

    def __reduce__(self) -> tuple[type[SeedsError], tuple[str, str, str, str]]:
        return type(self), (self.file, self.key, self.wrong, self.expected)


class ArchiveUnusable(ArchiveError):
    """The archive folder cannot be created, read or written."""

    exit_status = 21


class NewerArchive(ArchiveUnusable):
    """The archive was written by a newer version of this software; nothing in it was touched."""


class CatalogueDamaged(ArchiveUnusable):
    """The catalogue fails the database's own integrity check."""


class Locked(ArchiveError):
    """Another run of the same site is at work in this archive."""

    exit_status = 22


class OutOfSpace(ArchiveError):
    """The disk is full, or the quota on it."""

    exit_status = 23


class NoProcess(ArchiveError):
    """The machine does not let the processes start that read pages."""

    exit_status = 24


class DamagedRecord(ArchiveError):
    """One WARC record cannot be read. `file` and `offset` say where it begins."""

    def __init__(self, file: str, offset: int, wrong: str) -> None:
        super().__init__(f"{file} at byte {offset}: {wrong}.")
        self.file, self.offset, self.wrong = file, offset, wrong

    def __reduce__(self) -> tuple[type[DamagedRecord], tuple[str, int, str]]:
        return type(self), (self.file, self.offset, self.wrong)
