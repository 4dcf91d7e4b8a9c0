"""Settling withdrawals at the end of whatever ingests: what a denial is worth depends on what came in after it, too. When the
groups begin and end is decided here; what becomes of an article, in ledger.py.
"""

from __future__ import annotations

from itertools import islice

from pipelines.archive import ledger
from pipelines.archive.catalogue import Catalogue
from pipelines.archive.denials import verdicts_on

GROUP = 64
"""articles of one transaction: others that write wait for a fraction of a second, where all at once would take minutes for the
thousands of a site that moves"""


def settle_in_groups(catalogue: Catalogue, site: str | None = None, *, since: str | None = None) -> None:
    """`ledger.settle_withdrawals`, a transaction for each `GROUP` of articles. Each article is settled by itself, so that a process
    which ends between two groups leaves the rest as they were, for the next that settles.

    What denials are worth is asked once for all, before the first group: a group that asked again would read the pages of the same
    hours. Who writes such pages meanwhile settles at its own end, as it does where it begins after this one.
    """
    with catalogue.snapshot() as tx:
        articles = ledger.denied_since(tx, site, since=since)
        weighed = verdicts_on(tx, [one.name for one in articles])
    waiting = iter(articles)
    while group := list(islice(waiting, GROUP)):
        with catalogue.transaction() as tx:
            ledger.settle(tx, group, weighed)
