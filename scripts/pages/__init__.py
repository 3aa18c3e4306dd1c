"""The generated pages, one a module; each has `page() -> str`."""
