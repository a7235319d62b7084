"""Mistakes made on purpose in a copy of the tree, and what catches each: `python -m tests.terraform.mistakes`.

A mistake goes through the stages of `make plan` until one refuses it. Prints a table; exit code 1 where a mistake was
caught by nothing, or by something else than it says.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.offline import tools_folder
from deploy.planning import first_plan, offline, settled_plan
from deploy.policies import findings
from deploy.repository import read_repository
from deploy.scan import scan
from deploy.terraform import Terraform, TerraformFailed
from tests.terraform.bundles import ROOT, make_up_bundles

ENVIRONMENT = "dev"
CHECKOV = ROOT / ".venv-plan" / "bin" / "checkov"


@dataclass(frozen=True)
class Mistake:
    """`old` becomes `new` in a file; `stage` refuses it, and says `words`."""

    what: str
    file: str
    old: str
    new: str
    stage: str
    words: str


MISTAKES = (
    Mistake(
        "a wrong attribute",
        "terraform/pubsub.tf",
        "ack_deadline_seconds       = 600",
        "ack_deadline_secs = 600",
        "terraform validate",
        '"ack_deadline_secs" is not expected here',
    ),
    Mistake(
        "a function that is not there",
        "functions/functions.yaml",
        "  receive_upload:\n",
        "  receive_uploads:\n",
        "terraform plan",
        "receive_uploads",
    ),
    Mistake(
        "a secret that is not there",
        "functions/functions.yaml",
        "secrets: [ALERT_WEBHOOK_URL]",
        "secrets: [ALERT_WEBHOOK]",
        "terraform plan",
        "ALERT_WEBHOOK",
    ),
    Mistake(
        "more instances than the database has connections",
        "functions/functions.yaml",
        "    max_instances: 8\n",
        "    max_instances: 80\n",
        "terraform plan",
        "connections to Postgres",
    ),
    Mistake(
        "a subscription without dead letter",
        "terraform/pubsub.tf",
        "    dead_letter_topic     = google_pubsub_topic.dead[each.key].id\n    max_delivery_attempts = 20\n  }\n",
        "    dead_letter_topic     = google_pubsub_topic.dead[each.key].id\n  }\n",
        "every_subscription_has_a_dead_letter",
        "max_delivery_attempts is missing",
    ),
    Mistake(
        "a public bucket",
        "terraform/storage.tf",
        'public_access_prevention    = "enforced"',
        'public_access_prevention    = "inherited"',
        "buckets_refuse_the_public",
        "must be enforced",
    ),
    Mistake(
        "a wrong role",
        "terraform/iam.tf",
        'bucket = "lake", role = "roles/storage.objectViewer"',
        'bucket = "lake", role = "roles/storage.objectAdmin"',
        "functions_may_do_what_the_table_says",
        "has roles/storage.objectAdmin on google_storage_bucket lake",
    ),
    Mistake(
        "a missing grant of an agent",
        "terraform/pubsub.tf",
        'resource "google_pubsub_subscription_iam_member" "dead_letters" {\n  for_each = local.dead',
        'resource "google_pubsub_subscription_iam_member" "dead_letters" {\n  for_each = toset([])',
        "dead_letters_may_be_forwarded",
        "may not acknowledge here",
    ),
    Mistake(
        "resources without labels",
        "terraform/providers.tf",
        "  default_labels        = local.labels\n",
        "",
        "what_takes_labels_is_labelled",
        "lacks app, environment, managed_by",
    ),
    Mistake(
        "a table that is not its schema file",
        "terraform/bigquery.tf",
        "  schema                   = each.value.schema\n",
        '  schema = jsonencode([for c in jsondecode(each.value.schema) : c if c.name != "currency"])\n',
        "tables_are_those_of_the_folders",
        "its columns are not those of schema.json",
    ),
    Mistake(
        "an alert without runbook",
        "docs/runbook.md",
        "## dead-letters\n",
        "## letters\n",
        "alerts_link_to_the_runbook",
        "has no section #dead-letters",
    ),
)


def caught_by(mistake: Mistake, base: Terraform, work: Path) -> tuple[str, str]:
    """The stage that refuses the mistake and what it says; ("nothing", "") where none does."""
    tree = work / "tree"
    shutil.copytree(base.folder.parent, tree)
    file = tree / mistake.file
    text = file.read_text(encoding="utf-8")
    if mistake.old not in text:
        raise ValueError(f"{mistake.what}: {mistake.file} has no longer {mistake.old!r}")
    file.write_text(text.replace(mistake.old, mistake.new, 1), encoding="utf-8")
    return _stages(Terraform(tree / "terraform", base.offline), tree, work)


def _stages(terraform: Terraform, tree: Path, work: Path) -> tuple[str, str]:
    try:
        terraform.validate()
    except TerraformFailed as exc:
        return "terraform validate", str(exc)
    try:
        first = first_plan(terraform, ENVIRONMENT, work)
    except TerraformFailed as exc:
        return "terraform plan", str(exc)
    found = findings(settled_plan(terraform, ENVIRONMENT, work, first), read_repository(tree))
    for policy, against in found.items():
        if against:
            return policy, "\n".join(against)
    (work / "plan.json").write_text(json.dumps(first), encoding="utf-8")
    failed = scan(CHECKOV, tree, work / "plan.json").failed
    return ("checkov", "\n".join(failed)) if failed else ("nothing", "")


def main() -> int:
    """Make every mistake and print what caught it."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        base = offline(ROOT, work, make_up_bundles(work / "package"), tools_folder())
        for number, mistake in enumerate(MISTAKES):
            (work / str(number)).mkdir()
            stage, said = caught_by(mistake, base, work / str(number))
            as_told = stage == mistake.stage and mistake.words in said
            wrong += not as_told
            told = "" if as_told else f"   NOT AS TOLD ({mistake.stage}): {said[:500]}"
            sys.stdout.write(f"{mistake.what:50} {stage}{told}\n")
            sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
