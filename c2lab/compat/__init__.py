"""Old names: what ``caffe2.python`` scripts import, served from where it lives now."""
