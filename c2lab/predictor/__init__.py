"""Saving, loading and exporting trained models."""
