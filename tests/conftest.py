"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A shared machine may pause for a moment: the time of an example says nothing about the code.
settings.register_profile("sluice", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")
