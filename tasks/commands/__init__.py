"""What can be done with a finished data set: show, locate, extract, remove, diff."""
