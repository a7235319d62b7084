# The rows of functions.yaml, checked before anything is planned from them: every message names the function and what to
# do. `tests/unit/test_table.py` names the line too. And the bound on connections to Postgres.
locals {
  rows       = local.table.functions
  names      = keys(local.rows)
  kinds      = ["topic", "schedule", "http"]
  subscribed = toset(flatten([for row in values(local.rows) : [for trigger in row.triggers : try(trigger.topic, [])]]))
  entries    = [for row in values(local.rows) : try(row.entry_point, "")]

  problems = concat(
    [for topic in local.table.topics : "topic ${topic} is listed, but no function has it as a trigger: its messages would be lost. Add a trigger or take it off the list" if !contains(local.subscribed, topic)],
    flatten([for name, row in local.rows : concat(
      [for trigger in row.triggers : "${name}: unknown trigger ${jsonencode(trigger)}; a trigger is {topic: …}, {schedule: …} or {http: true}" if length(trigger) != 1 || length(setintersection(keys(trigger), local.kinds)) != 1],
      [for trigger in row.triggers : "${name}: topic ${trigger.topic} is not listed under topics; add it there or mend the name" if can(trigger.topic) && !contains(local.table.topics, try(trigger.topic, ""))],
    )]),
  )
}

resource "terraform_data" "table" {
  lifecycle {
    precondition {
      condition     = length(local.problems) == 0
      error_message = "functions/functions.yaml: ${join("; ", local.problems)}."
    }
  }
}
