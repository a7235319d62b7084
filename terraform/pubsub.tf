# Topics, and for each function and topic a push subscription of its own with its dead-letter topic: docs/decisions/0001.
# Names and figures are those of local/resources.py; tests/terraform compares them.
locals {
  week = "604800s"

  # "<function>-<topic>" => both
  pushes = merge([
    for name, row in local.functions : {
      for trigger in row.triggers : "${name}-${trigger.topic}" => { function = name, topic = trigger.topic }
      if can(trigger.topic)
    }
  ]...)

  # What lands in the raw bucket, beside validate; named as if `raw` were a function, so that redrive finds its dead letters.
  raw_copy = "raw-transactions"

  dead = setunion(keys(local.pushes), [local.raw_copy])
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  name                       = each.key
  kms_key_name               = google_kms_crypto_key.key["pubsub"].id
  message_retention_duration = local.week

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [terraform_data.agents]
}

resource "google_pubsub_topic" "dead" {
  for_each = local.dead

  name                       = "${each.key}-dead"
  kms_key_name               = google_kms_crypto_key.key["pubsub"].id
  message_retention_duration = local.week

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [terraform_data.agents]
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushes

  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  ack_deadline_seconds       = 600
  message_retention_duration = local.week

  push_config {
    push_endpoint = module.function[each.value.function].uri

    oidc_token {
      service_account_email = google_service_account.invoker[each.value.function].email
      audience              = module.function[each.value.function].uri
    }
  }

  expiration_policy {
    ttl = "" # never: the default deletes a subscription after 31 days without traffic
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = 20
  }

  # A push that comes before its identity may call the function counts as an attempt.
  depends_on = [google_cloud_run_service_iam_member.invoker, google_pubsub_topic_iam_member.dead_letters]
}

resource "google_pubsub_subscription" "dead" {
  for_each = local.dead

  name                       = "${each.key}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 600
  message_retention_duration = local.week

  expiration_policy {
    ttl = ""
  }
}

# The stream as it came, kept beside what was made of it. Avro, not text: it keeps the message id, which names the chunk,
# the publish time and the attributes, and a payload with line ends stays one record.
resource "google_pubsub_subscription" "raw" {
  name                       = local.raw_copy
  topic                      = google_pubsub_topic.topic["transactions"].id
  ack_deadline_seconds       = 600
  message_retention_duration = local.week

  cloud_storage_config {
    bucket                   = google_storage_bucket.bucket["raw"].name
    filename_prefix          = "transactions/"
    filename_datetime_format = "YYYY-MM-DD/hh_mm_ssZ"
    filename_suffix          = ".avro"
    max_duration             = "300s"
    max_bytes                = 104857600

    avro_config {
      write_metadata = true
    }
  }

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[local.raw_copy].id
    max_delivery_attempts = 20
  }

  # Pub/Sub checks at creation that its agent may write to the bucket.
  depends_on = [terraform_data.agents_may_deliver, google_pubsub_topic_iam_member.dead_letters]
}

# What Google's agents do here, each on the very topic, subscription or bucket.
resource "google_pubsub_topic_iam_member" "storage_agent" {
  topic  = google_pubsub_topic.topic["uploads"].id
  role   = "roles/pubsub.publisher"
  member = local.agent["storage"]

  depends_on = [terraform_data.agents_exist]
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = local.dead

  topic  = google_pubsub_topic.dead[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.agent["pubsub"]
}

# Without it Pub/Sub forwards nothing to the dead-letter topic and delivers for ever: it must acknowledge the message.
resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.dead

  subscription = each.key == local.raw_copy ? google_pubsub_subscription.raw.id : google_pubsub_subscription.push[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.agent["pubsub"]
}

resource "google_storage_bucket_iam_member" "raw_writer" {
  for_each = toset(["roles/storage.objectCreator", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.bucket["raw"].name
  role   = each.key
  member = local.agent["pubsub"]
}

# What is checked when it is made comes after these grants are seen: the subscription above, the notification of storage.tf.
resource "terraform_data" "agents_may_deliver" {
  triggers_replace = concat(
    [google_pubsub_topic_iam_member.storage_agent.id],
    [for grant in google_storage_bucket_iam_member.raw_writer : grant.id],
  )

  provisioner "local-exec" {
    command = "sleep ${var.agents_wait_seconds}"
  }
}
