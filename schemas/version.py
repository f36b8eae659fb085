"""The version of imagerecords."""

VERSION = "0.1.0"
