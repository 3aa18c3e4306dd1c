"""Answering for itself: who is responsible for what, what is still open, and who decided."""
