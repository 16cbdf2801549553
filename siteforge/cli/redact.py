"""`siteforge redact`: a filter for logs."""

import signal
import sys

from siteforge.redaction import redact as redacted


def redact() -> None:
    """Copy a log from standard input to standard output, without its secrets: pulumi up -v=9 ... | siteforge redact."""
    # Ctrl-C is for the program whose log this is; what it says last has to come through.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        text = redacted(line.decode(errors="surrogateescape"))
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
        sys.stdout.buffer.flush()
