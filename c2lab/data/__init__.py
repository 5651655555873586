"""Sample sets: the handwritten digits of the package, and MNIST.

Example:
    >>> from c2lab import data
    >>> data.digits.load().train_images.shape
    (1437, 1, 28, 28)
"""

from c2lab.data import digits, mnist
from c2lab.data.sample_set import DigitSet

__all__ = ["DigitSet", "digits", "mnist"]
