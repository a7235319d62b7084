"""A stand-in for Cloud Storage: the JSON API on one laptop, durable on disk.

The real client talks to it through STORAGE_EMULATOR_HOST. What it does not support it refuses with an error, because a
silently different answer here would become a lost row in the cloud.
"""
