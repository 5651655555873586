"""Recurrent networks: nets that run once a step, the cells that write them, attention, and chains of labels."""
