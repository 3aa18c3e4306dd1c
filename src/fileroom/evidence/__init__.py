"""Evidence: dated, signed observations, and what a check makes of them. Nothing here stores a status."""
