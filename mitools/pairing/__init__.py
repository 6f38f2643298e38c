"""Which pairs: the joint distribution whose mutual information is meant."""
