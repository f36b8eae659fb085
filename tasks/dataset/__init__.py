"""The files of a data set, each with its reader and its writer: receipts, TFDS's files, Croissant, accounting, removals."""
