"""Benchmarks with the sandbox's two servers, one module per topic: ``python -m benchmarks`` runs them all.

Each one measures its baseline alternately in the same run: the ratios hold on any machine.
"""
