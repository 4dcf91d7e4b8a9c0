"""The wire: a proxy for http and https, what it counts, and what it refuses."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.replica import Replica, captures, common_crawl, wayback
from tests.replica.resource import Answer

ROOT = Path(__file__).parents[2]
INDEX = "http://tech.china.com.cn/"
CHANNEL = "http://tech.china.com.cn/it/"
LIVE = "http://app.tech.china.com.cn/news/live.php?channel=科技&p=1"
Client = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def running() -> Iterator[Replica]:
    with Replica() as replica:
        yield replica


@pytest.fixture
def replica(running: Replica) -> Replica:
    running.day = 0
    running.faults.clear()
    running.robots.clear()
    running.reset()
    return running


@pytest.fixture
def get(replica: Replica) -> Iterator[Client]:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": replica.url, "https": replica.url}
        session.verify = replica.ca_file

        def fetch(url: str, **headers: str) -> requests.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return session.get(url, headers=named, allow_redirects=False, timeout=10)

        yield fetch


def test_the_index_is_served_by_host_name(get: Client) -> None:
    assert "科技频道" in get(INDEX).content.decode()


def test_a_chinese_query_arrives_percent_encoded_and_is_understood(get: Client) -> None:
    assert "news_list" in get(LIVE).text


def test_https_is_answered_with_a_certificate_of_the_replicas_own_authority(get: Client) -> None:
    assert get("https://tech.china.com.cn/it/").status_code == 200


def test_an_https_request_is_written_down_with_its_scheme(replica: Replica, get: Client) -> None:
    get("https://app-tech.gxfin.com/news/more_news.php?cnl=tech&index=0&page=1")
    assert replica.requests[-1].url.startswith("https://app-tech.gxfin.com/news/more_news.php?cnl=tech")


def test_a_host_outside_the_family_gets_502_and_is_written_down(replica: Replica, get: Client) -> None:
    assert get("http://example.com/a").status_code == 502
    assert replica.strangers == ["http://example.com/a"]


def test_a_tunnel_to_a_host_outside_the_family_is_refused(replica: Replica, get: Client) -> None:
    with pytest.raises(requests.exceptions.ProxyError):
        get("https://example.com/")
    assert replica.strangers == ["https://example.com/"]


def test_an_unknown_path_is_a_real_404(get: Client) -> None:
    assert get(INDEX + "none.shtml").status_code == 404


def test_the_tag_of_a_page_brings_304_and_no_body(replica: Replica, get: Client) -> None:
    tag = get(CHANNEL).headers["ETag"]
    again = get(CHANNEL, If_None_Match=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert [(asked.status, asked.conditional, asked.bytes_sent > 0) for asked in replica.requests] == [
        (200, False, True),
        (304, True, False),
    ]


def test_the_time_of_a_page_brings_304_as_well(get: Client) -> None:
    stamp = get(CHANNEL).headers["Last-Modified"]
    assert get(CHANNEL, If_Modified_Since=stamp).status_code == 304


def test_the_index_has_nothing_to_ask_conditionally_with(get: Client) -> None:
    assert not {"ETag", "Last-Modified"} & set(get(INDEX).headers)


def test_many_requests_share_one_connection(replica: Replica) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", replica.port)
    sockets = set()
    for _ in range(5):
        connection.request("GET", CHANNEL)
        answer = connection.getresponse()
        assert len(answer.read()) == int(answer.headers["Content-Length"])
        sockets.add(connection.sock.getsockname() if connection.sock else None)
    connection.close()
    assert len(sockets) == 1


def test_a_proxy_is_also_a_server_for_the_host_header(replica: Replica) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", replica.port)
    connection.request("GET", "/it/", headers={"Host": "tech.china.com.cn"})
    assert connection.getresponse().status == 200
    connection.close()


def test_head_sends_the_headers_of_get_and_no_body(replica: Replica) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.head(CHANNEL, proxies={"http": replica.url}, timeout=10)
    assert int(answer.headers["Content-Length"]) > 1_000
    assert replica.requests[-1].method == "HEAD"
    assert replica.requests[-1].bytes_sent == 0


def test_an_answer_names_server_date_and_length(get: Client) -> None:
    headers = get(CHANNEL).headers
    assert headers["Server"].startswith("nginx")
    assert {"Date", "Content-Length", "Content-Type"} <= set(headers)


def test_requests_are_counted_by_host_kind_and_status(replica: Replica, get: Client) -> None:
    for url in (INDEX, CHANNEL, LIVE, LIVE, INDEX + "none", INDEX + "robots.txt", "http://news.china.com.cn/robots.txt"):
        get(url)
    assert replica.counts() == {
        ("tech.china.com.cn", "index", 200): 1,
        ("tech.china.com.cn", "channel", 200): 1,
        ("app.tech.china.com.cn", "list", 200): 2,
        ("tech.china.com.cn", "not found", 404): 1,
        ("tech.china.com.cn", "robots", 404): 1,
        ("news.china.com.cn", "robots", 200): 1,
    }


def test_what_was_asked_keeps_order_time_and_user_agent(replica: Replica, get: Client) -> None:
    get(INDEX, User_Agent="first")
    get(CHANNEL, User_Agent="second")
    assert [asked.user_agent for asked in replica.requests] == ["first", "second"]
    assert replica.requests[0].time_monotonic <= replica.requests[1].time_monotonic <= time.monotonic()


def test_reset_forgets_what_was_asked(replica: Replica, get: Client) -> None:
    get("http://example.com/")
    replica.reset()
    assert (replica.requests, replica.strangers, replica.counts()) == ([], [], {})


def test_the_day_can_move_while_it_runs(replica: Replica, get: Client) -> None:
    gone = next(true for true in replica.truth(1) if true.withdrawn)
    assert get(gone.url).status_code == 200
    replica.day = 1
    assert get(gone.url).status_code == 404
    assert next(true for true in replica.truth() if true.url == gone.url).withdrawn


def test_a_fault_answers_in_place_of_the_page(replica: Replica, get: Client) -> None:
    replica.faults[CHANNEL] = (503, {"Retry-After": "7"}, b"busy")
    answer = get(CHANNEL)
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "7", b"busy")
    assert replica.counts() == {("tech.china.com.cn", "fault", 503): 1}


def test_a_fault_can_pass_after_some_requests(replica: Replica, get: Client) -> None:
    answers: Iterator[Answer | None] = iter([(503, {}, b""), (503, {}, b""), None, None])
    replica.faults[CHANNEL] = lambda: next(answers)
    assert [get(CHANNEL).status_code for _ in range(4)] == [503, 503, 200, 200]


def test_a_fault_of_another_host_does_not_concern_this_one(replica: Replica, get: Client) -> None:
    replica.faults["http://news.china.com.cn/it/"] = (500, {}, b"")
    assert get(CHANNEL).status_code == 200


def test_a_fault_may_be_of_one_range_alone(replica: Replica, get: Client) -> None:
    url, asked = common_crawl.range_of(captures.held(captures.OLD_CRAWL)[0])
    replica.faults[f"{url}#{asked}"] = (503, {}, b"")
    assert [get(url, Range=one).status_code for one in (asked, "bytes=0-9")] == [503, 206]
    assert [one.range for one in replica.requests] == [asked, "bytes=0-9"]


def test_other_archives_are_served_under_their_own_names_and_are_no_strangers(replica: Replica, get: Client) -> None:
    one = captures.held(captures.WAYBACK)[0]
    assert get(wayback.replay_of(one)).headers["Memento-Datetime"]
    assert get("https://index.commoncrawl.org/CC-MAIN-2019-35-index?url=*.china.com.cn&output=json").status_code == 200
    url, asked = common_crawl.range_of(captures.held(captures.OLD_CRAWL)[0])
    assert get(url, Range=asked).content == common_crawl.record(captures.held(captures.OLD_CRAWL)[0])
    assert replica.strangers == []
    assert replica.counts() == {
        ("web.archive.org", "replay", 200): 1,
        ("index.commoncrawl.org", "index", 200): 1,
        ("data.commoncrawl.org", "range", 206): 1,
    }


def test_the_robots_txt_of_another_archive_can_be_set_too(replica: Replica, get: Client) -> None:
    replica.robots["web.archive.org"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /\n")
    assert get("https://web.archive.org/robots.txt").content.endswith(b"Disallow: /\n")


def test_a_length_that_promises_too_much_breaks_the_transfer(replica: Replica, get: Client) -> None:
    replica.faults[CHANNEL] = (200, {"Content-Length": "9000"}, b"<html>cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(CHANNEL)
    assert get(INDEX).status_code == 200


def test_a_body_can_drip_in_pieces(replica: Replica, get: Client) -> None:
    gate = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"first "
        gate.wait(10)
        yield b"last"

    replica.faults[CHANNEL] = lambda: (200, {"Content-Type": "text/html"}, pieces())
    threading.Timer(0.05, gate.set).start()
    assert get(CHANNEL).content == b"first last"


def test_a_hosts_robots_txt_can_be_set(replica: Replica, get: Client) -> None:
    replica.robots["tech.china.com.cn"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /it/\n")
    assert b"Disallow: /it/" in get(INDEX + "robots.txt").content
    assert get("http://app.tech.china.com.cn/robots.txt").status_code == 200


def test_a_client_that_hangs_up_does_no_harm(replica: Replica, get: Client, capfd: pytest.CaptureFixture[str]) -> None:
    for opening in (b"", b"GET ", b"GET http://tech.china.com.cn/ HTTP/1.1\r\n\r\n", b"CONNECT tech.china.com.cn:443 HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", replica.port)) as raw:
            raw.sendall(opening)
    assert get(CHANNEL).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_eight_clients_at_once_are_all_answered(replica: Replica) -> None:
    def ask(answers: list[int]) -> None:
        answers.extend(requests.get(LIVE, proxies={"http": replica.url}, timeout=10).status_code for _ in range(5))

    answers: list[int] = []
    threads = [threading.Thread(target=ask, args=(answers,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
    assert len(replica.requests) == 40


def test_two_replicas_stand_side_by_side() -> None:
    with Replica() as first, Replica(day=3) as second:
        assert first.port != second.port
        assert len(second.truth()) > len(first.truth())


def test_a_closed_replica_answers_no_more_and_leaves_no_file() -> None:
    with Replica() as replica:
        held = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=10)
        held.request("GET", CHANNEL)
        assert held.getresponse().read()
        authority = Path(replica.ca_file)
        assert authority.exists()
    assert not authority.exists()
    assert held.sock.recv(1) == b""
    held.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", replica.port), timeout=1)


def test_the_environment_sends_a_subprocess_through_the_proxy(replica: Replica) -> None:
    program = f"import urllib.request as u; print(u.urlopen({INDEX!r}).status, u.urlopen({INDEX.replace('http', 'https')!r}).status)"
    environment = {**os.environ, **replica.environment()}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["200", "200"]
    assert [asked.url for asked in replica.requests] == [INDEX, INDEX.replace("http", "https")]


def test_the_environment_names_the_proxy_in_both_cases_and_exempts_nobody(replica: Replica) -> None:
    environment = replica.environment()
    assert {environment[name] for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")} == {replica.url}
    assert (environment["no_proxy"], environment["NO_PROXY"]) == ("", "")
    assert Path(environment["SSL_CERT_FILE"]).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_one_line_and_serves_until_it_is_told_to_stop(ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.replica", "--port", "0", "--day", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url, authority = process.stdout.readline().split()
        assert requests.get(CHANNEL, proxies={"http": url}, timeout=10).status_code == 200
        assert Path(authority).exists()
        process.send_signal(ending)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


@pytest.mark.parametrize("arguments", [["--day", "9"], ["--day", "x"], ["--port", "x"]])
def test_the_command_refuses_a_day_that_there_is_not(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "tests.replica", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr
