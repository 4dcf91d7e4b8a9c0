"""The wire: a proxy for http and https, what it counts, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.replica import Replica

INDEX = "http://tech.china.com.cn/"
LIVE = "http://app.tech.china.com.cn/news/live.php?channel=科技&p=1"


@pytest.fixture
def replica() -> Iterator[Replica]:
    with Replica() as running:
        yield running


@pytest.fixture
def client(replica: Replica) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": replica.url, "https": replica.url}
        session.verify = replica.ca_file
        yield session


def test_the_index_is_served_by_host_name(client: requests.Session) -> None:
    assert "科技频道" in client.get(INDEX).content.decode()


def test_https_is_answered_with_a_certificate_of_the_replicas_own_authority(client: requests.Session) -> None:
    assert client.get("https://tech.china.com.cn/it/").status_code == 200


def test_a_host_outside_the_family_gets_502_and_is_written_down(replica: Replica, client: requests.Session) -> None:
    assert client.get("http://example.com/a").status_code == 502
    assert replica.strangers == ["http://example.com/a"]
