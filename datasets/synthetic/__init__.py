"""Generated image data with a known truth: CDP and Colorful Moving-MNIST."""
