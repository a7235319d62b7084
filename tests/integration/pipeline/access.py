"""Whether the functions of a pipeline did only what they may do in a project.

In Postgres each logs in as its own user, so that it could not do more. The stand-in of BigQuery asks nobody who he is;
so what ran there is compared with what Terraform grants.
"""

from __future__ import annotations

import re

from tests.integration.pipeline.harness import Pipeline
from tests.terraform.access import granted

JOBS = """
    SELECT label.value AS stage, job_type, query, destination_table.dataset_id AS target
    FROM `region-eu`.INFORMATION_SCHEMA.JOBS, UNNEST(labels) AS label
    WHERE label.key = 'stage'
"""
NAMED = re.compile(r"\b(sales|marts|staging)\.[a-z_]")
WRITTEN = re.compile(r"\b(?:INTO|MERGE|DELETE FROM|UPDATE|TABLE)\s+`?(sales|marts|staging)\.")


def oversteps(pipeline: Pipeline) -> list[str]:
    """What a function did in a dataset that it may not do there."""
    found: set[str] = set()
    for job in pipeline.warehouse.run(JOBS, {}):
        stage, text = job["stage"], job["query"] or ""
        may = granted().get(stage, {})
        written = {match[1] for match in WRITTEN.finditer(text)}
        if job["target"] in ("sales", "marts", "staging"):
            written.add(job["target"])
        found |= {f"{stage} writes {dataset}" for dataset in written if may.get(dataset) != "writes"}
        found |= {f"{stage} reads {match[1]}" for match in NAMED.finditer(text) if match[1] not in may}
    return sorted(found)


def strangers(pipeline: Pipeline) -> list[str]:
    """Who is logged in to Postgres as a function without being one."""
    users = pipeline.sql("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sluice'")
    return sorted(user for (user,) in users if not user.startswith("fn-"))
