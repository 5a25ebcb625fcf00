"""The fault suite: killed processes, concurrent hooks, outages, malformed input and damaged files.

Every test ends with a check of the invariants. ``make test`` runs a short form, ``make torture`` the long one.
"""
