# The event loop of a WSGI worker process. CPython only.
#
# It lives as long as the process. A single-threaded worker begins each coroutine in the thread that answers the request, and
# that is enough for most: no loop has to turn. A handler that waits for something, or leaves a task, a timer or a callback
# behind, gets the loop a thread of its own, which runs it from then on. A worker with threads has it from the beginning.
import asyncio
import os
import threading
import weakref
from functools import partial


class Worker:
    """Runs coroutines for the threads of a worker process; made before the server forks, the loop after that."""

    process = None

    def own(self):
        """Return this with a loop that belongs to the present process."""
        if self.process != os.getpid():
            with _lock:
                if self.process != os.getpid():
                    self.loop = Loop()
                    self.process = os.getpid()
                    weakref.finalize(self, self.loop.end, self.process)
        return self

    def run(self, threads, coroutine):
        """Return what a coroutine returns; ``threads`` says that others may run one at the same time."""
        loop = self.loop
        if threads or loop.threaded:
            loop.give_thread()
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        task = loop.begin(coroutine)
        if not task.done():
            loop.give_thread()
            return asyncio.run_coroutine_threadsafe(_result_of(task), loop).result()
        if loop.left_behind:
            loop.give_thread()
        return task.result()


_lock = threading.Lock()


async def _result_of(task):
    return await task


class Loop(asyncio.SelectorEventLoop):
    """An event loop without a thread, until it needs one."""

    threaded = False
    left_behind = False  # there are tasks, timers or callbacks of other threads
    beginning = None  # where the first step of a task goes instead of the queue

    def begin(self, coroutine):
        """Run a coroutine as a task in this thread, up to its end or to where it has to wait; return the task."""
        self.beginning = steps = []
        task = asyncio.Task(coroutine, loop=self)
        self.beginning = None
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            steps[0]()
        finally:
            asyncio._set_running_loop(outer)
        return task

    def call_soon(self, callback, *args, context=None):
        if self.beginning is not None:
            self.beginning.append(partial(context.run, callback, *args))
            return None
        self.left_behind = True
        return super().call_soon(callback, *args, context=context)

    def give_thread(self):
        """Have a thread run the loop from now on."""
        if not self.threaded:
            with _lock:
                if not self.threaded:
                    self.threaded = True
                    threading.Thread(target=self._run, name="microdot", daemon=True).start()

    def _run(self):
        self.run_forever()
        self.close()

    def end(self, process):
        """Close the loop of a process, unless this is a child of it."""
        if process != os.getpid():
            return
        if self.threaded:
            self.call_soon_threadsafe(self.stop)
        else:
            self.close()

    def call_at(self, *args, **options):
        self.left_behind = True
        return super().call_at(*args, **options)

    def call_soon_threadsafe(self, *args, **options):
        self.left_behind = True
        return super().call_soon_threadsafe(*args, **options)

    def run_in_executor(self, executor, function, *args):
        """Call a function in a thread; here and now if there is only this one, for it has nothing else to do."""
        if self.threaded or executor:
            return super().run_in_executor(executor, function, *args)
        done = self.create_future()
        asyncio._set_running_loop(None)  # as in a thread, where the function may run a loop of its own
        try:
            done.set_result(function(*args))
        except Exception as e:
            done.set_exception(e)
        finally:
            asyncio._set_running_loop(self)
        return done
