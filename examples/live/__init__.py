"""Releases carried out on real servers under real traffic: one for each method, and two sequences."""
