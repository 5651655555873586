"""Optimizers, one file each, and what they share: building, contexts, regularizers, normalizers."""
