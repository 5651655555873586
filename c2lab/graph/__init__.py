"""Nets as graphs: read, checked, shaped, differentiated and drawn, never executed."""
