"""Measures Dispatch QA beside its peers; `python benchmarks/run.py`, see benchmarks/README.md."""
