"""A site of everything that goes wrong, crawled by the real command with a seeds file written from docs/adding-a-site.md.

    pages.py       what an honest page of this site looks like, and its dishonest kin
    rows.py        one row a hazard: what is served, and what must come of it
    lists.py       the lists that lead to them: traps, sitemaps, links that are none
    site.py        the servers: all hazards on one host ("together"), or each on a host of its own ("apart"); and the command
    judging.py     what an archive says came of each, held against the row
    alone.py       a hazard or a trap with a site and a crawl of its own ("alone")
    robots.py      the same with robots.txt served in each of the modes of tests/crawler/robots_modes.py
    machine.py     faults of our own machine, each with the run that it falls on and the next one
    table.py       what came of all, for people
    measured.py    `scrapy`, with its memory and the longest stall of its event loop written down

`python -m tests.hazards` prints the table (make test-hazards); `python -m tests.hazards NAME ...` the rows of these names.
"""
