# An example project; give your own by -var project=… or TF_VAR_project.
project     = "sluice-prod-example"
environment = "prod"

database = {
  tier            = "db-custom-4-15360"
  availability    = "REGIONAL"
  disk_size       = 100
  disk_size_limit = 1000
  backups         = 30
  log_days        = 7
}

settings = {
  PRODUCT_API_URL = "https://products.example.com" # yours; without one extract_products fails each night
}
