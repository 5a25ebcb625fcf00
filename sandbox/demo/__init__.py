"""The demo: a simulated Stash and Plex with some hundred scenes on this machine, and the real plugin between them.

It knows the plugin only as Stash does: as a folder to install and processes to start. It works out on its own what
Plex should show (``expectations``), so that it can disagree with the plugin.
"""
