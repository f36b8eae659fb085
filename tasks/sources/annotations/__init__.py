"""Annotations as labelling tools export them: a module per format, recognised by content; listing.py makes rows of all of them."""
