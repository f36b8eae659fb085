"""One image: recognised by its content, decoded, normalised to an RGB JPEG, measured."""
