# An example project; give your own by -var project=… or TF_VAR_project.
project     = "sluice-dev-example"
environment = "dev"
