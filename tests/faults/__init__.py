"""The fault suite: kills, crowds, outages, nonsense and damage, each followed by the invariant checker.

Short with all other tests; long with ``make torture``.
"""
