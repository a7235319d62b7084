"""The local Pub/Sub: topics, pull and push subscriptions behind the real client library, kept in one SQLite file.

Run it with `python -m local.pubsub --home DIR --port P`; README.md beside this file lists what it does and refuses.
"""
