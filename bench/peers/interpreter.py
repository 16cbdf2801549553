"""A reference: the start of the Python interpreter with what a command line tool like ours imports."""

import sys

from bench.peers.peer import Command, Peer


class Interpreter(Peer):
    """It starts and ends."""

    name = "interpreter"
    reference = True
    title = "reference: the interpreter's start"

    def no_op(self) -> Command:
        """Start and end."""
        return Command((sys.executable, "-c", "import siteforge.cli"), self.home)
