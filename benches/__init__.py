"""The benchmark: Fileroom beside Orthanc, in the same minutes, on the same seeded data. `make bench` runs it."""
