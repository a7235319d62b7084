"""What deploys Sluice: plans of its Terraform, and the policies that a plan must keep. Not deployed itself."""
