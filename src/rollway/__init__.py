"""Rollway takes a release from decision to done."""

__version__ = "0.1.0"
