"""The face of the package: what `import pytest_devicefarm` offers, and no more."""

from __future__ import annotations

import inspect
import types

import pytest_devicefarm


def test_every_public_name_exists() -> None:
    missing = [name for name in pytest_devicefarm.__all__ if not hasattr(pytest_devicefarm, name)]
    assert not missing


def test_public_names_are_sorted() -> None:
    assert list(pytest_devicefarm.__all__) == sorted(pytest_devicefarm.__all__, key=lambda name: (name.lower(), name))


def test_no_public_name_is_left_out() -> None:
    public = {
        name
        for name, value in vars(pytest_devicefarm).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert public == {name for name in pytest_devicefarm.__all__ if not name.startswith("_")}


def test_public_names_come_from_core() -> None:
    foreign = [
        name
        for name in pytest_devicefarm.__all__
        if inspect.isclass(value := getattr(pytest_devicefarm, name))
        and not value.__module__.startswith("pytest_devicefarm.core.")
    ]
    assert not foreign


def test_every_public_class_and_function_is_documented() -> None:
    silent = [
        name
        for name in pytest_devicefarm.__all__
        if callable(value := getattr(pytest_devicefarm, name)) and not inspect.getdoc(value)
    ]
    assert not silent
