"""The rows of the table, one kind of work a module. Each has `NAME` and `run(bench) -> list[Line]`."""
