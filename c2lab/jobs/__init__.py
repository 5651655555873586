"""Jobs: training over epochs with checkpoints, and threads that feed nets with data."""
