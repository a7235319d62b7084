"""What makes and tries the deployment; never deployed itself."""
