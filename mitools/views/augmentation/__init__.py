"""Random augmentations of a whole batch of images at once, as pure functions of random numbers."""
