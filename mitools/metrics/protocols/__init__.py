"""How the papers read frozen features: linear classifiers by SGD, and SVMs on data of several labels an item."""
