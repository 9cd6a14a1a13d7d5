"""The file of a pool: what it may say, and how it is corrected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.farms.local.pool import PoolFile, read_pool

SERVER = '[[farms.local.servers]]\nurl = "http://127.0.0.1:4723"\n'
PHONE = '[[farms.local.devices]]\nudid = "a"\nplatform = "Android"\n'


def read(folder: Path, text: str) -> PoolFile:
    (folder / "devicefarm.toml").write_text(text, encoding="utf-8")
    return read_pool(folder / "devicefarm.toml", "local")


def problem(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text)
    words = str(caught.value)
    assert words.startswith(str(folder / "devicefarm.toml"))
    return words.partition("devicefarm.toml")[2]


def test_servers_and_devices_are_read_with_their_defaults(tmp_path: Path) -> None:
    pool = read(tmp_path, SERVER + PHONE + 'version = 14\ntags = ["big"]\n')
    assert pool.servers[0].name == "server-1"
    assert pool.devices[0].server == "server-1"
    device = pool.devices[0].device
    assert (device.name, device.platform, device.version, device.tags) == ("a", "android", "14", ("big",))


def test_a_command_with_a_port_needs_no_address(tmp_path: Path) -> None:
    (server,) = read(
        tmp_path, '[[farms.local.servers]]\ncommand = "appium server --port {port}"\nlog = "a.log"\n'
    ).servers
    assert server.command == ("appium", "server", "--port", "{port}")
    assert server.url == "http://127.0.0.1:{port}"
    assert server.log == tmp_path / "a.log"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SERVER + PHONE + 'verison = "14"\n', ", line 6: device 1: unknown key 'verison'; did you mean 'version'?"),
        (SERVER + PHONE + "name = 7\n", ", line 6: device 1: name has to be text in quotes, not 7"),
        (SERVER + PHONE + "tags = [1]\n", ", line 6: device 1: tags has to be a list of texts"),
        (SERVER + PHONE + "version = true\n", ", line 6: device 1: version has to be text in quotes or a number"),
        (SERVER + PHONE + PHONE, ", line 7: device 2: two devices have the udid 'a'"),
        (SERVER + PHONE + 'server = "server-2"\n', ", line 6: device 1: there is no server 'server-2'; did you mean"),
        (SERVER + SERVER + PHONE, ", line 5: device 1: the device has no server; known are server-1, server-2"),
        (SERVER + '[[farms.local.devices]]\nudid = "a"\n', ", line 3: device 1: the device has no platform"),
        (PHONE, ", line 1: device 1: the device has no server; list it under [[farms.local.servers]]"),
        ('[[farms.local.servers]]\nname = "a"\n', ", line 1: server 1: it needs a url or a command"),
        ('[[farms.local.servers]]\ncommand = "appium"\n', ", line 2: server 1: command needs {port}"),
        ('[[farms.local.servers]]\ncommand = "appium \'"\n', ", line 2: server 1: command cannot be read"),
        (
            '[[farms.local.servers]]\nurl = "http://127.0.0.1:{port}"\n',
            ", line 2: server 1: {port} has to stand in both",
        ),
        (
            '[[farms.local.servers]]\nurl = "localhost:4723"\n',
            ", line 2: server 1: url 'localhost:4723' is no address",
        ),
        (
            SERVER
            + 'command = "appium --port 4723"\n'
            + SERVER.replace("127.0.0.1", "lab.test")
            + 'command = "appium --port 4723"\n',
            ", line 5: server 2: a server that the run starts has an http address of this machine",
        ),
        (SERVER + 'name = "a"\n' + SERVER + 'name = "a"\n', ", line 6: server 2: two servers are called 'a'"),
        ('[[farms.local.device]]\nudid = "a"\n', ", line 1: unknown table 'device' in [farms.local]; did you mean"),
        ("[farms.local]\nservers = 3\n", ", line 2: servers has to be a list of tables"),
        ("[farms.local]\nservers = [{ urll = 1 }]\n", ", line 2: server 1: unknown key 'urll'; did you mean 'url'?"),
        ("[farms.local\n", ": is no TOML"),
    ],
)
def test_a_mistake_is_told_with_line_key_and_the_nearest_known_one(tmp_path: Path, text: str, words: str) -> None:
    assert problem(tmp_path, text).startswith(words)


def test_two_devices_of_a_server_cannot_have_one_port(tmp_path: Path) -> None:
    port = 'capabilities = { "appium:systemPort" = 8205 }\n'
    other = PHONE.replace('"a"', '"b"')
    assert "appium:systemPort is 8205 for a and for b" in problem(tmp_path, SERVER + PHONE + port + other + port)
