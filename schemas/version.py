"""The version, in the one place where the build, the plan and the command find it."""

VERSION = "0.1.0"
