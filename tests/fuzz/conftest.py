"""`make fuzz` asks for the profile "fuzz": the same properties with twenty times the examples."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

MANY = int(os.environ.get("FUZZ_EXAMPLES", "2000"))

settings.register_profile("fuzz", max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
