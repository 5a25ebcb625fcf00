"""Health Check: one module of checks per area, over a probe that asks each server once. Reads only."""
