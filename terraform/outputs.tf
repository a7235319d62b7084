output "functions" {
  description = "Function => its run.app URL."
  value       = { for name, function in module.function : name => function.uri }
}

output "buckets" {
  description = "What it is for => name of the bucket."
  value       = { for name, bucket in google_storage_bucket.bucket : name => bucket.name }
}
