"""Lean clients, the same for both sides: plain sockets, premade bytes, answers read and thrown away."""
