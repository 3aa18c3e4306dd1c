"""What a client raises."""


class ClientFailed(Exception):
    """The server refused, answered wrongly or went away. The message says which."""
