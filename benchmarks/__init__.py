"""Measurements against the sandbox's two servers: ``python -m benchmarks.hook``, ``python -m benchmarks.latency``."""
