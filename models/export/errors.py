"""The one exception that the tools of this folder show to their users, and how."""
import sys


class ExportError(Exception):
    """The input cannot become a package; the message is one line and says what to change."""


def exit_code(tool, work):
    """Does `work`; 0, or 2 after an ExportError, whose message goes to standard error behind the tool's name."""
    try:
        work()
    except ExportError as error:
        print(f"{tool}: {error}", file=sys.stderr)
        return 2
    return 0
