"""The rules that speak for and against methods: the method's tips (T), its pitfalls (P), and factors (F).

A rule only says whether it fires, and cites the facts that make it fire. What that means for a method is
written in the method's own file.
"""
