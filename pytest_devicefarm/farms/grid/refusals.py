"""What a Grid means when it opens no session."""

from __future__ import annotations

import re

_NOISE = re.compile(r"^(Host info|Build info|System info|Driver info): .*$", re.MULTILINE)
_PREFIX = re.compile(
    r"^(?:Could not start a new session\. |Message: |Error while creating session with the service \S+\. )+"
)
_QUEUED = re.compile(r"New session request timed out|timed out in the queue", re.IGNORECASE)
_UNSUPPORTED = re.compile(r"No nodes support the capabilities", re.IGNORECASE)
_NO_FILE = re.compile(r"does not exist or is not accessible|ENOENT|no such file", re.IGNORECASE)
_ABOUT_THE_APP = re.compile(r"INSTALL_(FAILED|PARSE)|provisioning profile|'app' is required", re.IGNORECASE)
_NODE_GONE = re.compile(r"Unable to execute request for an existing session", re.IGNORECASE)


def words_of(message: str) -> str:
    """What the Grid or Appium said, without the facts of the Grid's own build that stand in each message."""
    return _PREFIX.sub("", " ".join(_NOISE.sub("", message).split())) or "no reason was given"


def waited_in_vain(words: str) -> bool:
    """Whether the request was in the queue until its time was over (``--session-request-timeout``)."""
    return bool(_QUEUED.search(words))


def nobody_could(words: str) -> bool:
    """Whether no slot takes the capabilities (``--reject-unsupported-caps``)."""
    return bool(_UNSUPPORTED.search(words))


def lacks_the_file(words: str) -> bool:
    """Whether the build is not where Appium on the node looks for it."""
    return bool(_NO_FILE.search(words))


def refuses_the_build(words: str) -> bool:
    """Whether it is the build that does not install, on this device or another."""
    return bool(_ABOUT_THE_APP.search(words))


def node_is_gone(words: str) -> bool:
    """Whether a command failed because the session's node is not there any more."""
    return bool(_NODE_GONE.search(words))
