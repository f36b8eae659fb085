"""The measured comparisons: their data, the contenders, and the saved results."""
