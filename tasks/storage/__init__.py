"""Folders on any file system: listed, read, written whole, locked; and what S3 needs beyond that."""
