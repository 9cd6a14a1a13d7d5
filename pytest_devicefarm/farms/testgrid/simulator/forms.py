"""Requests with forms whose files are closed whatever becomes of the request."""

from __future__ import annotations

from typing import IO, Any

from werkzeug.wrappers import Request


class FormRequest(Request):
    """Keeps hold of the files of a form also when the client hangs up in the middle of them."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._streams: list[IO[bytes]] = []

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        stream = super()._get_file_stream(total_content_length, content_type, filename, content_length)
        self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Closes them."""
        super().close()
        for stream in self._streams:
            stream.close()
