"""What every part of the proof may raise about the machine."""


class Unusable(Exception):
    """The machine lacks something; the message names it and the remedy."""
