"""How well a linear or a mixture model of the features explains labels, without training a probe."""
