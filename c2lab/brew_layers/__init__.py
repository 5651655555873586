"""The layers of ``brew``, one file a family: each adds operators to a model, and the parameters that they need."""
