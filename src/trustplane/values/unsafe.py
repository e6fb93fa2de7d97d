"""The warning that every unsafe stand-in gives when it is built."""


class InsecureStandIn(UserWarning):
    """Something that protects was replaced by something that does not; it shows in ``doctor`` and in the evidence."""
