"""Training: models to start from, batches, progress and records."""
