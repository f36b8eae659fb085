"""Commands on a finished data set: show, locate, extract, remove, diff."""
