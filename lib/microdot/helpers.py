# What every part of the package uses: how handlers are called on each interpreter, and methods that are loaded when they are
# first used. On a board a function costs its heap from the moment its module is imported, wanted or not, so methods that few
# applications call live in modules of their own and join their class when somebody asks for them.
import sys


def borrow(instance, name, module):
    """Give the class of ``instance`` its method ``name`` from a module, and return it bound; raise ``AttributeError``."""
    methods = load(module)
    if name not in methods.METHODS:
        raise AttributeError(name)
    setattr(type(instance), name, getattr(methods, name))
    return getattr(instance, name)


def load(module):
    """Import a submodule by its name."""
    return __import__("microdot." + module, None, None, (module,))


if sys.implementation.name == "micropython":

    def fill(cls, module):
        """Do nothing: methods are loaded one by one."""

    def wraps(wrapped):
        """Return a decorator that leaves its function as it is: functions have no attributes here."""
        return lambda wrapper: wrapper

    def iscoroutine(x):
        """Tell whether the value can be awaited."""
        return hasattr(x, "send") and hasattr(x, "throw")

    _generator = type((lambda: (yield))())

    def invoke(handler, request, args):
        """Call a ``def`` or ``async def`` handler with a dictionary of arguments, or None; await the result."""
        result = handler(request, **args) if args else handler(request)
        # Coroutines and generators are of one type here: the first value it yields tells a body from a wait.
        if type(result) is not _generator:
            return result
        try:
            value = result.send(None)
        except StopIteration as e:
            return e.value
        if isinstance(value, (str, bytes)):
            body = _resumed(value, result)
            next(body)  # has begun, so that closing it closes the application's
            return body
        return (yield from _resume(value, result))

    def invoke_handler(handler, *args, **kwargs):
        """Call a ``def`` or ``async def`` handler; await the result."""
        return invoke(lambda _: handler(*args, **kwargs), None, None)

    def _resume(value, coroutine):
        # Hand a wait that has begun to the event loop, then go on as `await` would. Each wait_for ends with an exception.
        while True:
            try:
                yield value
            except BaseException as e:
                try:
                    value = coroutine.throw(e)
                except StopIteration as done:
                    return done.value
            else:
                return (yield from coroutine)

    def _resumed(first, rest):
        try:
            yield
            yield first
            yield from rest
        finally:
            rest.close()

else:
    import asyncio
    from contextvars import copy_context
    from functools import partial, wraps  # noqa: F401
    from inspect import CO_COROUTINE, iscoroutine, iscoroutinefunction  # noqa: F401

    def invoke(handler, request, args):
        """Call a ``def`` or ``async def`` handler with a dictionary of arguments, or None; await the result."""
        code = getattr(handler, "__code__", None)
        if code and code.co_flags & CO_COROUTINE:  # what iscoroutinefunction finds after a longer look
            return handler(request, **args) if args else handler(request)
        return invoke_handler(handler, request, **(args or {}))

    async def invoke_handler(handler, *args, **kwargs):
        """Await an ``async def`` handler; run any other in the default executor, so that it may block."""
        if iscoroutinefunction(handler):
            return await handler(*args, **kwargs)
        call = partial(copy_context().run, handler, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(None, call)

    def fill(cls, module):
        """Give a class all of its methods at once, for editors and for ``super()``: here heap is plenty."""
        methods = load(module)
        for name in methods.METHODS:
            setattr(cls, name, getattr(methods, name))
