"""How papers read frozen features: linear classifiers by SGD, SVMs on data of several labels an item."""
