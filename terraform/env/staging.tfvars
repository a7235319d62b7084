# An example project; give your own by -var project=… or TF_VAR_project.
project     = "sluice-staging-example"
environment = "staging"

database = {
  tier            = "db-custom-1-3840"
  availability    = "ZONAL"
  disk_size       = 20
  disk_size_limit = 100
  backups         = 14
  log_days        = 7
}

settings = {
  PRODUCT_API_URL = "https://products.example.com" # yours; without one extract_products fails each night
}
