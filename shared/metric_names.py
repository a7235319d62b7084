"""What the log lines carry beside ids and counts for shared/metrics.yaml, the one list of metrics.

Terraform makes the metrics of Cloud Monitoring from that list; tests/functions/test_metrics.py runs the functions and
holds their lines against it.
"""

from __future__ import annotations

from typing import Literal

Measure = Literal["age_seconds", "batch_seconds"]
"""Figures of a closing line. age_seconds: from publishing a message to its commit in Postgres. batch_seconds: from the
landing of a file to the commit of a chunk of it, or from the export of a feed to the marts that follow it."""

Event = Literal["stage_finished", "freshness", "alert", "alert_refused"]
"""The events that a metric is taken from."""

Dated = Literal["source", "mart"]
"""What has a freshness."""
