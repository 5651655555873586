"""What a notebook shows: pictures of nets, curves of training, images."""
