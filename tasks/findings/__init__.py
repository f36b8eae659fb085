"""Findings over a whole data set, from its manifest: duplicates, near duplicates, image quality and label counts."""
