"""Operators: each one small function with a schema; the file it stands in is its family."""
