"""The types of the public face, as a user's type checker sees them; read by mypy, run by nobody."""

from __future__ import annotations

from typing import assert_type

import pytest_devicefarm

assert_type(pytest_devicefarm.__version__, str)
