# The two dictionaries of a request: header fields (any case, one spelling kept) and query or form arguments (many values a
# name). Both compare equal to plain dictionaries. Loaded when a request's headers, arguments or form are first asked for.


class NoCaseDict(dict):
    """A dictionary of header fields: keys match in any case, and the spelling used first is the one kept."""

    def __init__(self, initial_dict=None):
        super().__init__()
        self.keymap = {}  # lower-cased key -> the spelling kept
        if initial_dict:
            self.update(initial_dict)

    def _kept(self, key):
        return self.keymap.get(key.lower(), key)

    def __setitem__(self, key, value):
        super().__setitem__(self.keymap.setdefault(key.lower(), key), value)

    def __getitem__(self, key):
        return super().__getitem__(self._kept(key))

    def __delitem__(self, key):
        super().__delitem__(self._kept(key))
        del self.keymap[key.lower()]

    def __contains__(self, key):
        return key.lower() in self.keymap

    def get(self, key, default=None):
        return super().get(self._kept(key), default)

    def update(self, other_dict):
        for key, value in other_dict.items():
            self[key] = value

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key, *default):
        kept = self._kept(key)
        self.keymap.pop(key.lower(), None)
        return super().pop(kept, *default)

    def clear(self):
        super().clear()
        self.keymap.clear()


class MultiDict(dict):
    """A dictionary of arguments that may repeat: storing adds a value, reading gives the first."""

    def __init__(self, initial_dict=None):
        super().__init__()
        if initial_dict:
            for key, value in initial_dict.items():
                self[key] = value

    def __setitem__(self, key, value):
        values = super().get(key)
        if values is None:
            super().__setitem__(key, [value])
        else:
            values.append(value)

    def __getitem__(self, key):
        return super().__getitem__(key)[0]

    def get(self, key, default=None, type=None):
        """Return the first value, passed through ``type`` when given, or the default as it is."""
        values = super().get(key)
        if values is None:
            return default
        return type(values[0]) if type else values[0]

    def getlist(self, key, type=None):
        """Return every value of the key, each passed through ``type`` when given; an empty list when there is none."""
        values = super().get(key)
        if values is None:
            return []
        return [type(value) for value in values] if type else list(values)
