"""Worlds whose truth is known, and what they say of the tests."""
