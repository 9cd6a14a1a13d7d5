"""`python -m pytest_devicefarm.simulator FARM`: a simulated farm as a process of its own.

Prints one line of JSON when it is ready: farm, url, hub_url, and the environment variables that lead a client to it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing

from pytest_devicefarm.simulator.server import serve
from pytest_devicefarm.simulator.wire import Wire
from pytest_devicefarm.simulator.worldfile import default_world, read_world


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until a signal, or with `--until-eof` until standard input closes; gives the exit status."""
    options = _parser().parse_args(arguments)
    try:
        create = importlib.import_module(f"pytest_devicefarm.farms.{options.farm}.simulator").create
    except ModuleNotFoundError as error:
        print(f"there is no simulator for farm {options.farm!r}: {error}", file=sys.stderr)
        return 2
    try:
        world = read_world(options.world) if options.world else default_world()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with closing(world):
        try:
            wire: Wire = create(
                world,
                dialect=options.dialect,
                appium=options.appium,
                username=options.username,
                api_key=options.api_key,
            )
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        return _serve(wire, options)


def _serve(wire: Wire, options: argparse.Namespace) -> int:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Ctrl-C reaches every process of the terminal; who holds our standard input may still need the farm to tidy up.
    signal.signal(signal.SIGINT, signal.SIG_IGN if options.until_eof else lambda *_: stop.set())
    if options.until_eof:
        threading.Thread(target=_stop_at_eof, args=(stop,), daemon=True).start()
    try:
        with serve(wire, port=options.port) as url:
            facts = {
                "farm": options.farm,
                "url": url,
                "hub_url": wire.hub_url(url),
                "environment": wire.environment(url),
            }
            print(json.dumps(facts), flush=True)
            stop.wait()
    except OSError as error:
        print(f"cannot listen on port {options.port}: {error}", file=sys.stderr)
        return 1
    return 0


def _stop_at_eof(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pytest_devicefarm.simulator", description=__doc__)
    parser.add_argument("farm", help="which farm to simulate, such as kobiton")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--world", metavar="FILE", help="TOML file with devices, delays and faults")
    parser.add_argument(
        "--dialect", choices=("seen", "documented"), default="seen", help="as clients or documents have it"
    )
    parser.add_argument("--appium", metavar="URL", help="pass sessions on to this Appium server")
    parser.add_argument("--username", help="login name (default: that of the world)")
    parser.add_argument("--api-key", help="key (default: made at random)")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input closes; Ctrl-C is ignored")
    return parser


if __name__ == "__main__":
    sys.exit(main())
