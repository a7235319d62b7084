# Reads functions.yaml and finds what is wrong with it. Every problem names the line of its function and says what to do.
locals {
  table       = yamldecode(var.text)
  rows        = local.table.functions
  lines       = split("\n", var.text)
  begin       = index([for line in local.lines : trimspace(split("#", line)[0])], "functions:") + 1
  topics_line = one([for number, line in local.lines : number + 1 if startswith(line, "topics:")])
  found       = [for number, line in local.lines : { name = regex("^  ([^\\s:#]+):", line)[0], line = number + 1 } if number >= local.begin && can(regex("^  ([^\\s:#]+):", line))]
  places      = { for each in local.found : each.name => each.line... }
  place       = { for name, lines in local.places : name => "functions/functions.yaml:${lines[0]}: ${name}" }

  kinds    = toset(["topic", "schedule", "http"])
  needed   = toset(["entry_point", "triggers", "memory", "timeout_seconds", "concurrency", "max_instances", "roles", "secrets"])
  optional = toset(["publishes", "outside", "environments"])

  triggers  = { for name, row in local.rows : name => try(row.triggers, []) }
  topics    = { for name, triggers in local.triggers : name => [for trigger in triggers : trigger.topic if can(trigger.topic)] }
  schedules = { for name, triggers in local.triggers : name => [for trigger in triggers : trigger.schedule if can(trigger.schedule)] }
  attached  = toset(flatten(values(local.topics)))
  by_entry  = { for name, row in local.rows : try(row.entry_point, "") => name... }

  # How long a function may run, by what calls it: https://cloud.google.com/functions/docs/configuring/timeout, the
  # acknowledgement deadline of 600 s, the Scheduler's deadline of 1800 s.
  longest = { for name in keys(local.rows) : name => (
    length(local.topics[name]) > 0 ? 540 : length(local.schedules[name]) > 0 ? 1740 : 3600
  ) }

  problems = concat(local.of_topics, local.of_names, local.of_shape, local.of_triggers, local.of_rights, local.of_sizes)

  of_topics = [
    for topic in local.table.topics : "functions/functions.yaml:${local.topics_line}: topic ${topic} has no function that takes it, so its messages were lost: add a trigger {topic: ${topic}}, or take it off topics"
    if !contains(local.attached, topic)
  ]

  of_names = concat(
    [for name, lines in local.places : "${local.place[name]} is there twice, in line ${join(" and ", lines)}: YAML keeps the last only; take one out" if length(lines) > 1],
    [for entry, names in local.by_entry : "${local.place[names[1]]}: entry point ${entry} is that of ${names[0]} too: give it one of its own" if length(names) > 1],
    [for name in keys(local.rows) : "${local.place[name]}: the name must be 3 to 23 small letters and _, as accounts are named after it" if !can(regex("^[a-z][a-z_]{1,21}[a-z]$", name))],
    [for name in keys(local.rows) : "${local.place[name]}: functions/${name}/main.py is missing: add it, or take the row out" if !contains(var.folders, name)],
    [for name in keys(local.rows) : "${local.place[name]}: there is no bundle of it: run `make package`" if contains(var.folders, name) && !contains(var.bundles, name)],
    [for name in var.folders : "functions/${name}/main.py is in no row of functions/functions.yaml: add one, or it is never deployed" if !contains(keys(local.rows), name)],
  )

  of_shape = flatten([for name, row in local.rows : [
    [for key in setsubtract(local.needed, keys(row)) : "${local.place[name]}: ${key} is missing"],
    [for key in setsubtract(keys(row), setunion(local.needed, local.optional)) : "${local.place[name]}: ${key} is unknown; known are ${join(", ", setunion(local.needed, local.optional))}"],
    [for one in try(row.environments, []) : "${local.place[name]}: environment ${one} is unknown; dev, staging or prod" if !contains(["dev", "staging", "prod"], one)],
  ]])

  of_triggers = flatten([for name, triggers in local.triggers : [
    length(triggers) == 0 ? ["${local.place[name]}: it has no trigger, so nothing ever calls it"] : [],
    [for trigger in triggers : "${local.place[name]}: trigger ${jsonencode(trigger)} is unknown; write {topic: …}, {schedule: …} or {http: true}" if length(trigger) != 1 || length(setintersection(keys(trigger), local.kinds)) != 1],
    [for topic in local.topics[name] : "${local.place[name]}: topic ${topic} is not listed under topics: add it there, or mend the name" if !contains(local.table.topics, topic)],
    [for schedule in local.schedules[name] : "${local.place[name]}: schedule ${jsonencode(schedule)} is not a cron line of five fields" if !can(regex("^[0-9*/,-]+( [0-9*/,-]+){4}$", schedule))],
    length(local.schedules[name]) > 1 ? ["${local.place[name]}: it has ${length(local.schedules[name])} schedules; a job has one and the function's name: write one cron line"] : [],
  ]])

  of_rights = flatten([for name, row in local.rows : [
    [for role in try(row.roles, []) : "${local.place[name]}: role ${role} is unknown; known are ${join(", ", var.roles)}" if !contains(var.roles, role)],
    [for topic in try(row.publishes, []) : "${local.place[name]}: it publishes to ${topic}, which is not listed under topics: add it there, or mend the name" if !contains(local.table.topics, topic)],
    [for secret in try(row.secrets, []) : "${local.place[name]}: secret ${secret} is unknown; known are ${join(", ", var.secrets)}" if !contains(var.secrets, secret)],
  ]])

  of_sizes = flatten([for name, row in local.rows : [
    [for memory in [try(row.memory, null)] : "${local.place[name]}: memory ${memory} has no number of CPUs; write one of ${join(", ", var.memories)}" if memory != null && !contains(var.memories, coalesce(memory, "-"))],
    try(row.timeout_seconds <= local.longest[name], true) ? [] : ["${local.place[name]}: timeout_seconds ${row.timeout_seconds} is too long: by its triggers ${local.longest[name]} at most"],
    try(row.concurrency, 1) > 1 && contains(try(row.roles, []), "database_client") ? ["${local.place[name]}: concurrency ${row.concurrency} with Postgres: a connection is not shared between threads; write concurrency: 1"] : [],
  ]])
}

output "problems" {
  description = "What is wrong, a sentence each; nothing where all is well."
  value       = local.problems
}
