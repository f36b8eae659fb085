"""One image: judged by its content, decoded, normalised to an RGB JPEG, measured."""
