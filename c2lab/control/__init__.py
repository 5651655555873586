"""Loops, branches and conditions: as steps of a plan, and as operators in a net."""
