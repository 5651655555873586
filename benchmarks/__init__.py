"""Small programs that measure c2lab; ``python -m benchmarks`` runs the main ones."""
