"""The demo: a Stash, a Plex and a few hundred scenes on this machine, and the real plugin between them.

It knows the plugin only as Stash does: as a folder to install and processes to start. What Plex should hold it works
out for itself (``truth``), so that it can disagree.
"""
