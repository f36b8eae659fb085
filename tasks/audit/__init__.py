"""The audit of any folder of TFRecord files, part by part."""
