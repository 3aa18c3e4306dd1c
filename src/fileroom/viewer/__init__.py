"""The zero-install viewer: OHIF, served by Fileroom itself, set up for this archive."""
