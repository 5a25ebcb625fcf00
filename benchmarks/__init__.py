"""Measurements against the sandbox's two servers, one module a figure: ``python -m benchmarks`` runs them all.

Each measures its baseline in the same run, turn by turn; look at the ratios, they hold on any machine.
"""
