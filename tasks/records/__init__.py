"""TFRecord files: written, read back by code that is independent of the writer, and checked."""
