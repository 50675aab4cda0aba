# Templates that are compiled to Python: `source` is the compiler and the loader that compiles what has not been compiled,
# `recompile` the loader that compiles again what was edited, `compiled` the one for boards, which only imports, `automatic` the
# one that does what is needed. Nothing is imported here.
