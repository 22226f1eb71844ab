"""The one exception that the exporter shows to its user."""


class ExportError(Exception):
    """The input cannot become a package; the message is one line and says what to change."""
