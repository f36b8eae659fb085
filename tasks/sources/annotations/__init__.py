"""Annotations as labelling tools export them: a module per format, recognised by content; rows.py makes rows of them."""
