"""The operations of the plugin's page (docs/operations.md). Each call is a process of its own: import little."""

# The version of all answers.
VERSION = 1
# No list in an answer is longer; callers ask for the rest with ``after``.
MAX_ROWS = 200
