"""What make runs: the environment, the peers, the generated pages."""
