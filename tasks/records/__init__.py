"""TFRecord files read back, written apart from the writer."""
