"""What the local Pub/Sub promises, checked with the real client library."""
