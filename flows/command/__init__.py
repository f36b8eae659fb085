"""The command line: the app, its commands, and what they print."""
