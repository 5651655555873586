"""ONNX's own node cases as a second, independent witness."""
