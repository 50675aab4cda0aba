# The loader for development: it compiles a template again when it, or one that it includes, has changed. What changed is told
# by size and time together, since the clock of a board may start anew at every boot.
from utemplate import source


class Loader(source.Loader):
    """Loads templates, compiling those that were edited since; looks at the files each time."""

    def is_current(self, name, header):
        """Tell whether all that the header names is as it was."""
        for line in header.split("\n")[1:]:
            try:
                if self._stamps(line[2:].rsplit(" ", 2)[0]) != line + "\n":
                    return False
            except OSError:
                return False
        return True
