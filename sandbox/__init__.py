"""A simulated Stash and a simulated Plex over real HTTP, for the tests, the benchmarks and the demo.

Nothing here imports the plugin, so that the simulators can disagree with it.
"""
