"""Bootstrap, correlation, paired differences, multiple comparisons."""
