"""The checks, one a module: CHECK, facts with which it PASSES and facts with which it FAILS."""
