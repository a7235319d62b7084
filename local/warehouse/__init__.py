"""A BigQuery stand-in on DuckDB: the REST API that the real client talks to, and SQL that means the same or is refused."""
