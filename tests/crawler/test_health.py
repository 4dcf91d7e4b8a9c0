"""A ledger in, an exit status and a sentence out: a run that says "good" was good."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import health
from crawler.frontier import NOT_ITS_FAULT
from crawler.health import FAR_LESS, GOOD, INTERRUPTED, MANY, NOTHING_SAVED, OUR_FAULT, PARTIAL, REFUSED, judge
from pipelines import report


def ledger(**changed: Any) -> dict[str, Any]:
    """Of a good night: 20 lists, 5 new articles, 300 in the archive."""
    visits = changed.get("visits", {"new": 5, "unchanged": 10})
    urls = {"visited": sum(visits.values()), "not_due": 300, "left": 0, "set_aside": 0, **changed.pop("urls", {})}
    return {
        "visits": visits,
        "urls": urls,
        "known": sum(urls.values()),
        "lists": 20,
        "failures": {},
        "articles": {"active": 300, "shown": 290},
        "interrupted": None,
        "left_because": None,
        "our_faults": 0,
        **changed,
    }


def test_a_night_with_something_new_is_good() -> None:
    assert judge(ledger()).status == GOOD


def test_a_night_with_nothing_new_is_good() -> None:
    assert judge(ledger(visits={})).status == GOOD
    assert judge(ledger(visits={"unchanged": 30, "not_modified": 300})).status == GOOD


@pytest.mark.parametrize("visits", [{"unchanged": 2, "not_modified": 1}, {"duplicate": 3}, {}])
def test_a_site_whose_articles_stand_under_another_one_does_well(visits: dict[str, int]) -> None:
    """One that shares a host and lists what the other has, one that was renamed, one whose stories are copies."""
    others = {"visits": visits, "articles": {"shown": 0}}
    assert judge(ledger(**others, has_articles=True)).status == GOOD
    assert judge(ledger(**others, has_articles=False)).status == NOTHING_SAVED
    refused = {"visits": {"failed/robots": 7}, "articles": {"shown": 0}}
    assert judge(ledger(**refused, has_articles=True)).status == GOOD


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"our_faults": 2}, OUR_FAULT, "our own code failed on 2"),
        ({"known": 5}, OUR_FAULT, "5 article URLs are known and 315 accounted for"),
        ({"urls": {"visited": 3}}, OUR_FAULT, "3 fetched and 15 visits counted"),
        ({"interrupted": "a signal", "urls": {"left": 7}}, INTERRUPTED, "7 URLs are left"),
        ({"visits": {}, "lists": 0, "failures": {"robots": 20}}, REFUSED, "turned 20 requests away"),
        ({"visits": {}, "lists": 0, "failures": {"host_given_up": 3}}, REFUSED, "turned"),
        ({"visits": {}, "lists": 0}, NOTHING_SAVED, "no list could be read"),
        ({"visits": {}, "lists": 0, "failures": {"timeout": 20}}, NOTHING_SAVED, "no list"),
        ({"visits": {}, "articles": {"shown": 0}}, NOTHING_SAVED, "the rules of the seeds file"),
        ({"visits": {"failed/robots": 7}, "articles": {"shown": 0}}, REFUSED, "robots.txt forbids all 7 article URLs"),
        ({"visits": {"failed/robots": 6, "gone": 1}, "articles": {"shown": 0}}, NOTHING_SAVED, "robots.txt forbids 6 of 7 article URLs"),
        ({"visits": {"failed/host_given_up": 5, "failed/robots": 1}, "articles": {"shown": 0}}, REFUSED, "all 6 article URLs"),
        ({"visits": {"gone": 7, "soft_404": 2, "topic": 5}, "articles": {"shown": 0}}, NOTHING_SAVED, "9 of 14 article URLs are no pages"),
        ({"visits": {"http_error": 7}, "articles": {"shown": 0}}, NOTHING_SAVED, "7 of 7 article URLs answered with an error"),
        ({"visits": {"failed/timeout": 1}, "articles": {"shown": 0}}, NOTHING_SAVED, "1 of 1 article URL failed (timeout)"),
        ({"visits": {"captcha": 3, "login": 2, "no_text": 4}, "articles": {"shown": 0}}, NOTHING_SAVED, "captcha or log-in"),
        ({"visits": {"no_text": 4}, "articles": {"shown": 0}}, NOTHING_SAVED, "Did the layout change"),
        ({"visits": {"gone": MANY}}, NOTHING_SAVED, "are no pages"),
        ({"visits": {"no_text": MANY}}, NOTHING_SAVED, "Did the layout change"),
        ({"visits": {"new": 5, "no_text": 6}}, FAR_LESS, "6 of 11 pages"),
        ({"urls": {"left": 40}, "left_because": "max_requests"}, PARTIAL, "40 URLs are left (max_requests)"),
        ({"lists": 0, "visits": {}, "left_because": "max_requests"}, PARTIAL, "Partial: max_requests is spent; the next run goes on."),
        (
            {"visits": {}, "urls": {"left": 10}, "left_because": "max_requests", "articles": {"shown": 0}},
            PARTIAL,
            "Partial: 10 URLs are left (max_requests); the next run goes on with them.",
        ),
        ({"visits": {"no_text": MANY}, "left_because": "max_requests"}, NOTHING_SAVED, "Did the layout change"),
        ({"lists": 0, "visits": {}, "failures": {"timeout": 1}, "left_because": "max_requests"}, NOTHING_SAVED, "Is the network up"),
        ({"urls": {"left": 1}}, PARTIAL, "Partial: 1 URL is left; the next run goes on with it."),
        ({"failures": {"timeout": 1}}, PARTIAL, "Partial: 1 list failed; the next run goes on with it."),
        (
            {"visits": {"new": 9, "failed/timeout": 2, "failed/robots": 1}, "failures": {"timeout": 3, "http_error": 1, "robots": 4}},
            PARTIAL,
            "Partial: 2 articles and 2 lists failed; the next run goes on with them.",
        ),
        (
            {"failures": {"record_cut": 1}, "backfill": {"failed": {"record_cut": 1}}, "urls": {"left": 3}},
            PARTIAL,
            "Partial: 3 URLs are left, 1 capture of another archive failed; the next run goes on with them.",
        ),
    ],
)
def test_what_went_wrong_has_its_own_status_and_sentence(changed: dict[str, Any], status: int, said: str) -> None:
    found = judge(ledger(**changed))
    assert found.status == status
    assert said in found.sentence


def test_what_robots_txt_forbids_is_no_work_left_behind() -> None:
    assert judge(ledger(failures={"robots": 12})).status == GOOD


def test_a_few_rejected_pages_are_ordinary() -> None:
    assert judge(ledger(visits={"topic": MANY - 1})).status == GOOD
    assert judge(ledger(visits={"new": 6, "topic": 5})).status == GOOD


def test_pages_that_fail_night_after_night_are_no_news() -> None:
    """Twelve dead links are asked again until they are set aside; where they are all that was due, nothing else is wrong."""
    dead = {"visits": {"http_error": 12}, "failed_again": 12}
    assert judge(ledger(**dead)).status == GOOD
    assert judge(ledger(**{**dead, "visits": {"http_error": 12, "new": 2}})).status == GOOD
    assert judge(ledger(**{**dead, "visits": {"http_error": 12, "no_text": MANY}})).status == NOTHING_SAVED
    assert judge(ledger(**{**dead, "visits": {"http_error": 12, "no_text": MANY, "new": 1}})).status == FAR_LESS


def test_an_article_that_has_failed_for_long_is_no_work_left_behind() -> None:
    """It is asked every few weeks: else there would be one of them every night."""
    failing = {"visits": {"new": 9, "failed/timeout": 2}, "failures": {"timeout": 2}}
    assert judge(ledger(**failing, failed_for_long=2)).status == GOOD
    one = judge(ledger(**failing, failed_for_long=1))
    assert (one.status, one.sentence) == (PARTIAL, "Partial: 1 article failed; the next run goes on with it.")


@pytest.mark.parametrize("reason", sorted(NOT_ITS_FAULT))
def test_pages_that_were_not_asked_for_were_not_rejected(reason: str) -> None:
    visits = {f"failed/{reason}": 30, "new": 1}
    assert judge(ledger(visits=visits)).status == GOOD


def starts(read: int, named: int = 23) -> dict[str, Any]:
    return {"named": named, "read": read, "found": 0, "seconds": 86_400.0}


def test_a_run_that_reads_far_fewer_start_lists_than_usual_says_so() -> None:
    usual = {"lists": 20.0, "found": None, "day": None}
    found = judge(ledger(starts=starts(5), usual=usual))
    assert found.status == FAR_LESS
    assert found.sentence == "Far less than usual: 5 start lists could be read; usually it is 20."
    assert judge(ledger(starts=starts(7), usual=usual)).status == GOOD
    assert judge(ledger(starts=starts(5), usual=usual | {"lists": None})).status == GOOD


def test_how_many_pages_of_lists_are_read_is_no_sign() -> None:
    """After deep first runs (690 pages of lists) a night reads 23."""
    assert judge(ledger(lists=23, starts=starts(23), usual={"lists": 23.0, "found": None, "day": None})).status == GOOD


def test_a_seeds_file_that_names_fewer_lists_than_it_did_is_no_alarm() -> None:
    usual = {"lists": 23.0, "found": None, "day": None}
    assert judge(ledger(starts=starts(5, named=5), usual=usual)).status == GOOD
    assert judge(ledger(starts=starts(1, named=5), usual=usual)).status == FAR_LESS


def test_a_day_on_which_all_lists_answer_and_show_far_less_than_on_a_slow_day_says_so() -> None:
    def found(day: float | None, slow: float | None) -> health.Health:
        return judge(ledger(starts=starts(23), usual={"lists": 23.0, "found": slow, "day": day}))

    assert found(0, 500.0).status == FAR_LESS
    assert "showed 0 new article URLs in a day; on a slow day it is 500." in found(0, 500.0).sentence
    assert found(0, MANY).status == FAR_LESS
    for day, slow in ((60, 500.0), (0, MANY - 1.0), (0, 0.0), (None, None)):
        assert found(day, slow).status == GOOD


def test_a_run_whose_ledger_knows_nothing_of_what_is_usual_is_judged_by_itself() -> None:
    assert judge(ledger()).status == GOOD


@pytest.mark.parametrize("is_sample", [True, False])
def test_a_page_behind_the_last_one_of_a_list_is_no_fault(is_sample: bool) -> None:
    changed = {"failures": {"behind_the_end": 2}, "is_sample": is_sample}
    assert judge(ledger(visits={"new": 8}, **changed)).status == GOOD


def test_parts_that_wait_for_others_are_not_rejected() -> None:
    assert judge(ledger(visits={"awaiting_parts": 30, "new": 1})).status == GOOD


def test_a_fault_of_ours_is_said_before_all_else() -> None:
    everything = ledger(our_faults=1, interrupted="a signal", lists=0, urls={"left": 5}, failures={"robots": 1})
    assert judge(everything).status == OUR_FAULT


def test_each_status_has_a_number_of_its_own() -> None:
    numbers = [GOOD, OUR_FAULT, NOTHING_SAVED, FAR_LESS, PARTIAL, REFUSED, INTERRUPTED]
    assert len(set(numbers)) == len(numbers)
    assert {status for status, _ in health._TESTS} == set(numbers) - {GOOD}


def test_every_sentence_begins_with_what_it_says() -> None:
    first = {OUR_FAULT: "A fault of ours", INTERRUPTED: "Interrupted", PARTIAL: "Partial", GOOD: "Good"}
    found = [judge(ledger(**changed)) for changed in ({"our_faults": 1}, {"interrupted": "a signal"}, {"urls": {"left": 1}}, {})]
    assert all(one.sentence.startswith(first[one.status]) for one in found)


SAMPLE = {"is_sample": True, "left_because": "max_articles", "urls": {"left": 40}}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, GOOD, "Good: a sample; nothing of it is kept."),
        ({"failures": {"timeout": 1}}, PARTIAL, "Partial: 1 list failed; nothing of a sample is kept."),
        ({"interrupted": "a signal"}, INTERRUPTED, "Interrupted by a signal; nothing of a sample is kept."),
        ({"our_faults": 1}, OUR_FAULT, "A fault of ours: our own code failed on 1 answer. The tracebacks are in the log: report them."),
    ],
)
def test_of_a_sample_nothing_is_kept_and_no_run_goes_on_with_it(changed: dict[str, Any], status: int, said: str) -> None:
    found = judge(ledger(**SAMPLE, **changed))
    assert (found.status, found.sentence) == (status, said)


def test_a_sample_that_brought_nothing_has_failed() -> None:
    found = judge(ledger(**SAMPLE, visits={"no_text": 3}, articles={"shown": 0}))
    assert found.status == NOTHING_SAVED
    assert "the sample has no article" in found.sentence


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Is the network up, and does the site answer?"),
        ({"failures": {"timeout": 2, "no_such_host": 1}}, "Is the network up, and does the site answer?"),
        (
            {"failures": {"robots_unreachable": 3}},
            "None was asked, for robots.txt cannot be read. Is the network up",
        ),
        (
            {"failures": {"http_error": 3}, "answers": {"http_error (404)": 3}},
            "3 lists answered: http_error (404). Look at the addresses under [discover] in the seeds file, `listings` first.",
        ),
        (
            {"failures": {"http_error": 1, "not_a_feed": 1, "timeout": 4}, "answers": {"http_error (404)": 1, "not_a_feed (200)": 1}},
            "2 lists answered: http_error (404), not_a_feed (200).",
        ),
    ],
)
def test_where_no_list_could_be_read_the_network_is_asked_for_only_if_no_answer_came(told: dict[str, Any], said: str) -> None:
    found = judge(ledger(visits={}, lists=0, **told))
    assert found.status == NOTHING_SAVED
    assert found.sentence.startswith("Nothing saved: no list could be read. ")
    assert said in found.sentence
    assert ("network" in found.sentence) is ("answers" not in told)


UNTAKEN = {"links": 12, "examples": ["http://a.test/1"], "foreign": 0, "foreign_examples": []}


@pytest.mark.parametrize(("lists", "rest"), [(1, ""), (3, " 2 other lists showed no article either.")])
def test_an_archive_without_an_article_says_which_links_no_rule_takes(lists: int, rest: str) -> None:
    untaken = {f"http://a.test/{number}.html": UNTAKEN for number in range(lists)}
    found = judge(ledger(visits={}, articles={"shown": 0}, untaken=untaken))
    assert found.status == NOTHING_SAVED
    shown = "http://a.test/0.html shows 12 links, none matches `article`, e.g. http://a.test/1."
    assert found.sentence == f"Nothing saved: the archive holds no article of this site. {shown}{rest}"


def test_what_was_not_asked_is_what_failed_by_no_fault_of_its_url() -> None:
    assert {f"failed/{reason}" for reason in NOT_ITS_FAULT} == report.UNASKED
