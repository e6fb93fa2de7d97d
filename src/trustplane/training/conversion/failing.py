"""How a conversion ends that comes to nothing."""


class Unconverted(Exception):
    """Raised inside the sandbox; its words are what the run says of itself."""
