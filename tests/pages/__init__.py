"""One page = one folder = one test a field: tests/pages/<site>/<slug>/{page.html, capture.json, expected.json}.

`page.html` are the bytes as transferred, `capture.json` the rest of the exchange, `expected.json` what a person has looked
over: the outcome, and each field that this page is about. All sentences are our own. `make page` writes a new folder.
"""
