"""Hand-written helpers shared by the tests of several rooms."""
