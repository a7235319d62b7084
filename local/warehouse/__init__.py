"""A BigQuery stand-in on DuckDB: the REST API of the real client, and SQL that means the same or is refused."""
