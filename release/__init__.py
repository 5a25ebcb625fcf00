"""Build the release that users install from inside Stash: ``python -m release``. Not part of the release itself."""
