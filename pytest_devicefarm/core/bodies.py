"""Request bodies that are read as they are sent, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

_STEP = 256 * 1024  # bytes between two calls of progress; the HTTP library reads in far smaller pieces


class FileReader:
    """A file as a request body of known length; reports progress as it is read."""

    def __init__(self, file: IO[bytes], size: int, progress: Callable[[int, int], None] | None) -> None:
        self._file = file
        self._size = size
        self._progress = progress
        self._done = 0
        self._told = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``."""
        chunk = self._file.read(_STEP if size < 0 else size)
        self._done += len(chunk)
        step = self._done - self._told
        if self._progress is not None and step and (step >= _STEP or self._done == self._size):
            self._told = self._done
            self._progress(self._done, self._size)
        return chunk
