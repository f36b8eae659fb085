"""The command line: the app, its commands, and their output."""
