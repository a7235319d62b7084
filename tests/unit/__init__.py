"""Tests of pure code: nothing here opens a socket or a database."""
