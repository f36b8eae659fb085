"""What the manifest as a whole tells: copies, near copies, pictures and labels that look odd."""
