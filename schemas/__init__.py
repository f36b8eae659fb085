"""The nouns: everything that crosses a boundary between steps, processes or programs. No I/O, no Prefect."""
