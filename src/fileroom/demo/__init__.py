"""The demonstration: synthetic studies of people who do not exist, loaded and taken out in one step."""
