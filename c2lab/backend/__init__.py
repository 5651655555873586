"""Nets on XLA: lowered to pure functions, cut at host operators, compiled once, run on blobs."""
