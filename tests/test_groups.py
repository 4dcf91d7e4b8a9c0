"""Tests of one `xdist_group` run in one process, so that what they share is made once. Where pytest-xdist groups nothing it says
nothing: pytest 9.2 made it so, and the tests took a third longer."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.xdist_group("groups")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in this process")
def test_a_group_is_a_part_of_the_name_that_tests_are_handed_out_by(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@groups")
