"""Examples and applications in a real browser; a package, so that its conftest.py is not taken for that of another folder."""
