"""Information about a class: the calibrated posterior and the certificate made from it."""
