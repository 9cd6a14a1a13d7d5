"""The form of Kobiton's answers: members in camel case."""

from __future__ import annotations

from pytest_devicefarm.core import replies


class Reply(replies.Reply, frozen=True, rename="camel"):
    """Part of an answer."""


class Answer(replies.Answer, frozen=True, rename="camel", kw_only=True):
    """A whole answer that holds lists."""
