"""The builds of the cloud: their files, their steps, their Terraform, and the page that tells of them."""
