"""What makes, tries and rolls out the deployment; never deployed itself."""
