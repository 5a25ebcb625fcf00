"""Builds what people install from inside Stash: ``python -m release``. Not part of it."""
