"""Media: studies as a ZIP with a DICOMDIR that any machine opens (PS3.10, PS3.11 STD-GEN, PS3.12 Annex V)."""
