"""What a farm owes its users about their credentials: they are seen by nobody but the farm."""

from __future__ import annotations

import base64
import pickle

from pytest_devicefarm.core.errors import DeviceFarmError
from pytest_devicefarm.core.farm import Farm
from pytest_devicefarm.core.model import Device
from pytest_devicefarm.testing.process import Process
from pytest_devicefarm.testing.relay import Relay
from pytest_devicefarm.testing.setting import Setting


class SecretContract(Setting):
    """The secret settings of the bench are canaries: they should occur in no other word."""

    def test_no_secret_is_in_what_is_shown_of_a_session(self, here: Process, device: Device) -> None:
        """Neither in capabilities, ours or the farm's, nor in any name of it."""
        farm = here.farm
        wanted = farm.capabilities(device, None, name="test_login", token="df-1", reset="app")
        opened = here.open(here.lease([device]))
        shown = [farm, farm.account, farm.hub, device, wanted, opened.capabilities, opened.session, opened.commands()]
        assert not farm.secret_capabilities().keys() & {*wanted, *opened.capabilities}
        opened.close()
        _show_no_secret(farm, *(repr(each) for each in shown), farm.check())

    def test_no_secret_is_in_an_error_of_a_farm_that_repeats_what_it_was_told(
        self, here: Process, relay: Relay, device: Device
    ) -> None:
        """Not in its text, and not in what it carries to other processes."""
        lease = here.lease([device])
        errors = []
        with relay.troubled("echo"):
            for step in (here.farm.check, here.farm.list_devices, here.farm.list_apps, lambda: here.open(lease)):
                try:
                    step()
                except DeviceFarmError as error:
                    errors.append(error)
        assert errors
        _show_no_secret(here.farm, *(f"{error} {vars(error)} {pickle.dumps(error)!r}" for error in errors))

    def test_a_secret_setting_prints_as_stars(self, farm: Farm) -> None:
        """The farm's settings may be shown."""
        _show_no_secret(farm, repr(farm.settings))


def _show_no_secret(farm: Farm, *texts: str) -> None:
    for secret in farm.settings.secrets.values():
        for form in (secret.reveal(), base64.b64encode(secret.reveal().encode()).decode().rstrip("=")):
            assert [text for text in texts if form in text] == []
