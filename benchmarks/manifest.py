# mypy: ignore-errors
# What the 32-bit unix build freezes: the product, and the two smallest servers, so that the smallest heap is
# measured as a board would have it, with the application frozen too.
include("../manifest.py")
module("floor.py", base_path="servers", opt=3)
module("hello.py", base_path="servers", opt=3)
