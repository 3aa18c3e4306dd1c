"""The ledger: who did what, to whose images, when. Lines are added, never changed; a tree of hashes proves it."""
