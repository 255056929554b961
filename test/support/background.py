"""A function in a thread of its own, whose end and whose errors are not lost."""

import concurrent.futures
import threading


class Background:
    """Runs `function(*arguments)` in a thread from now on."""

    def __init__(self, function, *arguments):
        self.future = concurrent.futures.Future()
        self.thread = threading.Thread(target=self._run, args=(function, arguments), daemon=True)
        self.thread.start()

    def _run(self, function, arguments):
        try:
            self.future.set_result(function(*arguments))
        except BaseException as error:  # result() raises it in the test's own thread
            self.future.set_exception(error)

    def result(self, seconds=120):
        """The function's value. Raises what the function raised, and AssertionError when the thread does not end in time."""
        try:
            return self.future.result(seconds)
        except concurrent.futures.TimeoutError:
            if self.future.done():  # the function itself raised a TimeoutError
                raise
            raise AssertionError(f"a thread still runs after {seconds} s") from None


def read_line(stream, seconds=90):
    """The next line of a process's output. Raises AssertionError when none comes in time."""
    return Background(stream.readline).result(seconds)


def results(threads, seconds=120):
    """The values of all of them, which have `seconds` together."""
    concurrent.futures.wait([thread.future for thread in threads], seconds)
    return [thread.result(0) for thread in threads]
