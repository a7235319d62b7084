# Each mistake in functions.yaml is named with its line and with what to do.
variables {
  folders  = ["load", "show"]
  bundles  = ["load", "show"]
  roles    = ["lake_reader", "database_client"]
  secrets  = ["ALERT_WEBHOOK_URL"]
  memories = ["256Mi", "512Mi"]
  text     = <<-YAML
    # A comment
    topics: [files]   # and another

    functions:        # the rows
      load:
        entry_point: load
        triggers: [{topic: files}]
        memory: 512Mi
        timeout_seconds: 540
        concurrency: 1
        max_instances: 4
        publishes: [files]
        roles: [lake_reader, database_client]
        secrets: [ALERT_WEBHOOK_URL]

      show:           # a page
        entry_point: show
        triggers: [{http: true}]
        memory: 256Mi
        timeout_seconds: 60
        concurrency: 8
        max_instances: 1
        roles: []
        secrets: []
        environments: [dev]
  YAML
}

run "a_good_table_has_no_problem" {
  command = plan
  module {
    source = "./modules/table"
  }
  assert {
    condition     = length(output.problems) == 0
    error_message = join("\n", output.problems)
  }
}

run "a_topic_that_nobody_takes" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "topics: [files]", "topics: [files, lost]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:2: topic lost has no function that takes it, so its messages were lost: add a trigger {topic: lost}, or take it off topics")
    error_message = join("\n", output.problems)
  }
}

run "a_topic_that_is_not_listed" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "{topic: files}", "{topic: fils}, {topic: files}")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: topic fils is not listed under topics: add it there, or mend the name")
    error_message = join("\n", output.problems)
  }
}

run "an_unknown_trigger" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "{http: true}", "{queue: work}")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: trigger {\"queue\":\"work\"} is unknown; write {topic: …}, {schedule: …} or {http: true}")
    error_message = join("\n", output.problems)
  }
}

run "no_trigger_at_all" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "[{http: true}]", "[]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: it has no trigger, so nothing ever calls it")
    error_message = join("\n", output.problems)
  }
}

run "two_schedules" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "{http: true}", "{schedule: \"1 * * * *\"}, {schedule: \"2 * * * *\"}")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: it has 2 schedules; a job has one and the function's name: write one cron line")
    error_message = join("\n", output.problems)
  }
}

run "a_schedule_that_is_no_cron_line" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "{http: true}", "{schedule: \"hourly\"}")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: schedule \"hourly\" is not a cron line of five fields")
    error_message = join("\n", output.problems)
  }
}

run "a_doubled_entry_point" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "entry_point: show", "entry_point: load")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: entry point load is that of load too: give it one of its own")
    error_message = join("\n", output.problems)
  }
}

run "a_doubled_name" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "  show:", "  load:")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load is there twice, in line 5 and 16: YAML keeps the last only; take one out")
    error_message = join("\n", output.problems)
  }
}

run "a_name_too_short_for_an_account" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "  show:", "  sh:")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: sh: the name must be 3 to 23 small letters and _, as accounts are named after it")
    error_message = join("\n", output.problems)
  }
}

run "the_shortest_name_of_an_account" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    folders = ["load", "sho"]
    bundles = ["load", "sho"]
    text    = replace(var.text, "  show:", "  sho:")
  }
  assert {
    condition     = length(output.problems) == 0
    error_message = join("\n", output.problems)
  }
}

run "a_missing_folder" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "  show:", "  shows:")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: shows: functions/shows/main.py is missing: add it, or take the row out")
    error_message = join("\n", output.problems)
  }
}

run "a_folder_without_a_row" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "  show:", "  shows:")
  }
  assert {
    condition     = contains(output.problems, "functions/show/main.py is in no row of functions/functions.yaml: add one, or it is never deployed")
    error_message = join("\n", output.problems)
  }
}

run "an_unknown_role" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "[lake_reader, database_client]", "[lake_owner]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: role lake_owner is unknown; known are database_client, lake_reader")
    error_message = join("\n", output.problems)
  }
}

run "a_wrong_secret" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "[ALERT_WEBHOOK_URL]", "[ALERT_URL]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: secret ALERT_URL is unknown; known are ALERT_WEBHOOK_URL")
    error_message = join("\n", output.problems)
  }
}

run "a_topic_published_to_that_is_not_listed" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "publishes: [files]", "publishes: [fils]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: it publishes to fils, which is not listed under topics: add it there, or mend the name")
    error_message = join("\n", output.problems)
  }
}

run "a_missing_key" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "    memory: 256Mi\n", "")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: memory is missing")
    error_message = join("\n", output.problems)
  }
}

run "an_unknown_key" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "roles: []", "rolls: []\n    roles: []")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: rolls is unknown; known are concurrency, entry_point, environments, max_instances, memory, outside, publishes, roles, secrets, timeout_seconds, triggers")
    error_message = join("\n", output.problems)
  }
}

run "an_unknown_environment" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "[dev]", "[test]")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: environment test is unknown; dev, staging or prod")
    error_message = join("\n", output.problems)
  }
}

run "a_pushed_function_that_outlives_its_acknowledgement" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "540", "600")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: timeout_seconds 600 is too long: by its triggers 540 at most")
    error_message = join("\n", output.problems)
  }
}

run "a_scheduled_function_that_outlives_the_scheduler" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(replace(var.text, "{http: true}", "{schedule: \"1 * * * *\"}"), "60\n", "1800\n")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: timeout_seconds 1800 is too long: by its triggers 1740 at most")
    error_message = join("\n", output.problems)
  }
}

run "threads_that_share_a_connection" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "concurrency: 1", "concurrency: 2")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:5: load: concurrency 2 with Postgres: a connection is not shared between threads; write concurrency: 1")
    error_message = join("\n", output.problems)
  }
}

run "a_size_of_memory_without_cpus" {
  command = plan
  module {
    source = "./modules/table"
  }
  variables {
    text = replace(var.text, "256Mi", "300Mi")
  }
  assert {
    condition     = contains(output.problems, "functions/functions.yaml:16: show: memory 300Mi has no number of CPUs; write one of 256Mi, 512Mi")
    error_message = join("\n", output.problems)
  }
}
