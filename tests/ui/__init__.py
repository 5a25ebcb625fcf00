"""Tests of the page in a real Chromium, inside the sandbox's host page."""
