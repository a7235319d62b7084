"""Marts on a real local warehouse, with their ledger in a real Postgres."""
