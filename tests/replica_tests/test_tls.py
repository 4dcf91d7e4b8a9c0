"""The throwaway authority: a strict client accepts its hosts, and only under their own names."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replica.tls import Authority

HOST = "tech.china.com.cn"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def _shake(authority: Authority, pair: tuple[socket.socket, socket.socket], client: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    def serve() -> None:
        try:
            authority.context(HOST).wrap_socket(pair[1], server_side=True).close()
        except ssl.SSLError:
            pair[1].close()  # the client did not like the certificate

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return client.wrap_socket(pair[0], server_hostname=name)
    finally:
        thread.join()


def test_a_strict_client_accepts_the_host_that_it_asked_for(authority: Authority, pair: tuple[socket.socket, socket.socket]) -> None:
    client = ssl.create_default_context(cafile=str(authority.file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with _shake(authority, pair, client, HOST) as secured:
        assert dict(pair[0] for pair in secured.getpeercert()["subject"])["commonName"] == HOST  # type: ignore[index,misc]


def test_another_name_is_refused(authority: Authority, pair: tuple[socket.socket, socket.socket]) -> None:
    client = ssl.create_default_context(cafile=str(authority.file))
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake(authority, pair, client, "news.china.com.cn")


def test_a_client_that_does_not_know_the_authority_refuses(authority: Authority, pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake(authority, pair, ssl.create_default_context(), HOST)


def test_a_certificate_is_made_once_a_host(authority: Authority) -> None:
    assert authority.context(HOST) is authority.context(HOST)
    assert authority.context("m.gxfin.com") is not authority.context(HOST)


def test_an_address_gets_a_certificate_too(authority: Authority) -> None:
    assert isinstance(authority.context("127.0.0.1"), ssl.SSLContext)


def test_two_authorities_have_nothing_in_common(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    assert Authority(folders[0]).file.read_bytes() != Authority(folders[1]).file.read_bytes()


def test_the_authoritys_own_key_is_never_written(authority: Authority) -> None:
    assert b"PRIVATE KEY" not in authority.file.read_bytes()
