"""How nets are put together: names and scopes, operators, nets, and what is done to whole nets.

``c2lab.core`` is the face of this package, in Caffe2's spelling.
"""
