"""The tasks of Stash's menu, one module each. Imports nothing: a status must start quickly."""
