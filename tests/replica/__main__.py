"""`python -m tests.replica --port 8800 [--day N]`: serve until interrupted. Prints one line: proxy URL and CA file."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from tests.replica.calendar import LAST_DAY
from tests.replica.server import Replica


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replica", description="A synthetic copy of the site, as a proxy on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8800, help="0 picks a free one (default: 8800)")
    parser.add_argument("--day", type=int, default=0, choices=range(LAST_DAY + 1), help="which day of the site to serve")
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with Replica(day=options.day, port=options.port) as replica:
        sys.stdout.write(f"{replica.url} {replica.ca_file}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
