"""Fileroom: an enterprise-imaging service that can answer for itself."""

__version__ = "0.1.0"
