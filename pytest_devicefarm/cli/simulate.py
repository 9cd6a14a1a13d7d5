"""`devicefarm simulate`: a farm on this machine, to try a suite without an account."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
from importlib.util import find_spec
from typing import IO, Any

import click

from pytest_devicefarm.cli.group import MISCONFIGURED, Failure
from pytest_devicefarm.cli.output import json_option
from pytest_devicefarm.core.errors import ConfigurationError

START_SECONDS = 30.0
STOP_SECONDS = 5.0


@click.command("simulate")
@click.argument("farm")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1 (default: any free one).")
@click.option("--world", metavar="FILE", help="TOML file with devices, delays and faults.")
@click.option(
    "--dialect",
    type=click.Choice(["seen", "documented"]),
    default="seen",
    help="Whether to answer as public clients have seen the farm, or as its documents say (default: seen).",
)
@click.option("--appium", metavar="URL", help="Pass sessions on to this Appium server.")
@click.option("--username", metavar="NAME", help="Login name of the simulated account.")
@click.option("--api-key", metavar="KEY", help="Key of the simulated account (default: made at random).")
@json_option('{"farm", "url", "hub_url", "environment": {variable: value}}, in one line')
def command(farm: str, as_json: bool, **options: Any) -> None:
    """Run the built-in simulator of FARM until Ctrl-C.

    Prints its address and credentials as lines to paste into a shell.
    """
    arguments = [_module_of(farm), farm]
    for name, value in options.items():
        if value is not None:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    # The child ends when our end of its standard input closes, so it cannot outlive us, however we die.
    with subprocess.Popen(
        [sys.executable, "-m", *arguments, "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            facts = _facts(child)
            click.echo(json.dumps(facts) if as_json else _for_people(facts))
            sys.stdout.flush()
            status = child.wait()
        except KeyboardInterrupt:
            status = 0
        finally:
            _stop(child)
    if status:
        raise Failure(f"the simulator ended with status {status}", MISCONFIGURED)


def _module_of(farm: str) -> str:
    from pytest_devicefarm.core.registry import find_farm

    if not find_farm(farm).simulator:
        raise ConfigurationError(f"farm {farm!r} has no simulator; `devicefarm farms` says which have one")
    if find_spec("werkzeug") is None:
        raise ConfigurationError("the simulator is an extra: pip install 'pytest-devicefarm[simulator]'")
    return "pytest_devicefarm.simulator"


def _facts(child: subprocess.Popen[str]) -> dict[str, Any]:
    """What the simulator tells of itself when it is ready; a simulator that says nothing is ended."""
    output: IO[str] | None = child.stdout
    assert output is not None  # noqa: S101 - asked for with PIPE
    deadline = threading.Timer(START_SECONDS, child.kill)
    deadline.start()
    try:
        line = output.readline()
    finally:
        deadline.cancel()
    if not line:
        # It has said on standard error why.
        raise Failure("the simulator did not start", MISCONFIGURED)
    facts: dict[str, Any] = json.loads(line)
    return facts


def _for_people(facts: dict[str, Any]) -> str:
    farm = facts["farm"]
    exports = [f"export {name}={shlex.quote(value)}" for name, value in facts["environment"].items()]
    return "\n".join(
        [
            f"# simulated {farm} at {facts['url']}, sessions at {facts['hub_url']}; Ctrl-C ends it",
            *exports,
            "# then, in that shell, for example",
            f"#   devicefarm devices --farm {farm}",
            f"#   pytest --farm {farm} -n 2",
        ]
    )


def _stop(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None  # noqa: S101 - asked for with PIPE
    child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
