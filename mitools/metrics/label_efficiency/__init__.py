"""How many labels a probe needs on the features: what its loss on growing training sets says."""
