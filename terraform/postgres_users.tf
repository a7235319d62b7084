# Users of the database: each function with the role database_client, the migrator, and people. All by IAM, none with a
# password. A user made here may connect and nothing else; what it may do comes from a group role (sql/postgres/roles),
# which `sluice migrate` makes and gives to the users of local.database_members. Who is taken out loses the user and the
# right to log in: Postgres drops a user together with its roles, but none who owns something, a temporary table too.
locals {
  database_clients = toset([for name, row in local.functions : name if contains(row.roles, "database_client")])

  # The user of a service account is named by its e-mail without this end.
  service_account_end = ".gserviceaccount.com"

  user_types = { user = "CLOUD_IAM_USER", group = "CLOUD_IAM_GROUP", serviceAccount = "CLOUD_IAM_SERVICE_ACCOUNT" }

  # Analysts have no role in Postgres: they read the marts.
  database_people = {
    for role, members in local.people : role => { for member in members : member => trimsuffix(lower(split(":", member)[1]), local.service_account_end) }
    if role != "analyst"
  }
  database_persons = merge(values(local.database_people)...)

  database_members = merge(
    { for name in local.database_clients : name => [google_sql_user.function[name].name] },
    { for role, persons in local.database_people : role => concat(
      [for member in sort(keys(persons)) : google_sql_user.person[member].name],
      role == "operator" ? [google_sql_user.operate.name] : [], # the job of jobs.tf
    ) },
  )

  # https://cloud.google.com/sql/docs/postgres/iam-conditions
  our_instance = "resource.type == \"sqladmin.googleapis.com/Instance\" && resource.name == \"projects/${var.project}/instances/${local.database_instance}\""
}

resource "google_service_account" "migrate" {
  account_id   = "sluice-migrate"
  display_name = "Migrations of Postgres"

  depends_on = [google_project_service.service]
}

resource "google_project_iam_member" "migrate_database" {
  for_each = local.database_roles

  project = var.project
  role    = each.value
  member  = google_service_account.migrate.member

  condition {
    title      = "our instance only"
    expression = local.our_instance
  }
}

resource "google_sql_user" "function" {
  for_each = local.database_clients

  name     = trimsuffix(google_service_account.function[each.key].email, local.service_account_end)
  instance = google_sql_database_instance.main.name
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"
}

# It owns every schema; the role lets it make extensions and group roles.
resource "google_sql_user" "migrate" {
  name            = trimsuffix(google_service_account.migrate.email, local.service_account_end)
  instance        = google_sql_database_instance.main.name
  type            = "CLOUD_IAM_SERVICE_ACCOUNT"
  database_roles  = ["cloudsqlsuperuser"]
  deletion_policy = "ABANDON" # Postgres deletes no user who owns something
}

resource "google_sql_user" "person" {
  for_each = local.database_persons

  name     = each.value
  instance = google_sql_database_instance.main.name
  type     = local.user_types[split(":", each.key)[0]]
}

resource "google_project_iam_member" "person_database" {
  for_each = {
    for pair in setproduct(keys(local.database_persons), keys(local.database_roles)) : "${pair[0]}-${pair[1]}" => {
      member = pair[0], role = local.database_roles[pair[1]]
    }
  }

  project = var.project
  role    = each.value.role
  member  = each.value.member

  condition {
    title      = "our instance only"
    expression = local.our_instance
  }
}

output "database_members" {
  description = "Group role of Postgres => its users; `sluice migrate` takes it as the variable DATABASE_MEMBERS."
  value       = jsonencode(local.database_members)
}
