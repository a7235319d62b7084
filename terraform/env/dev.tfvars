# An example project; give your own by -var project=… or TF_VAR_project.
project     = "sluice-dev-example"
environment = "dev"

database = {
  tier            = "db-custom-1-3840"
  availability    = "ZONAL"
  disk_size       = 10
  disk_size_limit = 50
  backups         = 7
  log_days        = 3
}
