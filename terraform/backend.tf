# The bucket and the prefix are given at init: docs/deployment.md, step 3.
#   terraform init -backend-config="bucket=PROJECT-terraform" -backend-config="prefix=sluice"
terraform {
  backend "gcs" {}
}
