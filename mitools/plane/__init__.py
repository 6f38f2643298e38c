"""Information planes: I(X;T) and I(T;Y) of layers through training, by several methods side by side."""
