"""Devices the account may use, their state, and the apps on them."""

from __future__ import annotations

from pytest_devicefarm.core.replies import Answer, Id, Reply
from pytest_devicefarm.farms.testgrid.api._resource import Resource

Flag = Id | bool | None
"""``"0"`` or ``"1"`` in lists, 0 or 1 elsewhere; see `is_on`."""


def is_on(flag: Flag) -> bool:
    """Whether a flag is set, in any of its spellings."""
    return str(flag).strip().lower() in ("1", "true")


def is_off(flag: Flag) -> bool:
    """Whether a flag says no; one that was not told does not."""
    return str(flag).strip().lower() in ("0", "false", "")


class Device(Reply, frozen=True):
    """One device.

    Attributes:
        device_type: ``1`` iOS, ``2`` Android, ``3`` a browser; elsewhere a word.
        mobile_number: In one published sample the name of the platform stands here.
        tags: Words with commas between them.
        s_device: Short code, which some calls take instead of the id.
        appium_url: The device's own Appium server.
        is_connected: The flags ``is_...`` tell what it is doing; 1 is yes.
        device_simulation_type: ``Real`` or another word.
    """

    device_id: Id
    udid: str = ""
    device_name: str = ""
    platform_name: str = ""
    platform_version: str = ""
    device_type: Id = ""
    automation_name: str = ""
    mobile_number: str = ""
    model_name: str = ""
    manufactured_by: str = ""
    tags: str = ""
    s_device: str = ""
    appium_url: str = ""
    system_port: Id = ""
    wda_local_port: Id = ""
    device_simulation_type: str = ""
    device_status: str = ""
    is_connected: Flag = None
    is_offline: Flag = None
    is_device_offline: Flag = None
    is_unauthorised: Flag = None
    is_rebooting: Flag = None
    is_cleaning: Flag = None
    is_preparing: Flag = None
    is_reserved: Flag = None
    is_run_generator: Flag = None
    is_run_build: Flag = None
    is_run_local_execution: Flag = None
    is_run_device_cloud: Flag = None
    is_run_virtual_usb: Flag = None
    reserved_device_user_id: Id = ""
    reserved_device_user_email: str = ""


class DeviceList(Answer, frozen=True):
    """Devices, of whatever kind."""

    devices: tuple[Device, ...] = ()


class InstalledApp(Reply, frozen=True):
    """An app on a device; ``bundle_id`` may hold the name people see instead."""

    bundle_id: str = ""
    name: str = ""
    version: str = ""


class InstalledApps(Answer, frozen=True):
    """The apps on a device."""

    apps: tuple[InstalledApp, ...] = ()


class DeviceLog(Reply, frozen=True):
    """Address of the log of a device, which holds more than one session."""

    log_file_url: str = ""


class Devices(Resource):
    """Calls about devices, below three roots."""

    def list(self) -> DeviceList:
        """All devices of the account. Operation ``getUserDevices``, ``POST /api/get-user-devices``.

        The reference shows them as a list under ``data``, the support pages as lists by platform under ``devices``.
        """
        return self._ask("POST", "/api/get-user-devices", DeviceList, many="devices")

    def find(
        self, *, platform_version: str | None = None, device_type: str | None = None, device_id: Id | None = None
    ) -> DeviceList:
        """Devices by platform, version or id. Operation ``getDevicesInfo``, ``POST /api/get-devices-info``."""
        return self._ask(
            "POST",
            "/api/get-devices-info",
            DeviceList,
            many="devices",
            form={"platform_version": platform_version, "device_type": device_type, "device_id": device_id},
        )

    def details(self, *, device_id: Id | None = None, udid: str | None = None) -> Device:
        """One device by either of its ids.

        Operation ``getAppiumCapabilities``, ``POST /devicecloud/api/GetAppiumCapabilities``.
        """
        return self._ask(
            "POST", "/devicecloud/api/GetAppiumCapabilities", Device, form={"device_id": device_id, "udid": udid}
        )

    def release(self, device_id: Id) -> None:
        """End this account's use of a device, whoever in the account uses it; bookings stay.

        Operation ``releaseDevice``, ``POST /api/user/releasedevice/{device_id}/``.
        """
        self._tell("POST", "/api/user/releasedevice/{device_id}/", device_id=device_id)

    def log(self, device_id: Id) -> DeviceLog:
        """Where the log of a device is. Operation ``getDeviceLogs``, ``POST /api/user/device-logs/{device_id}/``."""
        return self._ask("POST", "/api/user/device-logs/{device_id}/", DeviceLog, flat=True, device_id=device_id)

    def installed_apps(self, device_id: Id) -> InstalledApps:
        """Apps on a device. Operation ``listInstalledApps``, ``POST /api/user/installed-app/{device_id}/``."""
        return self._ask(
            "POST", "/api/user/installed-app/{device_id}/", InstalledApps, many="apps", device_id=device_id
        )

    def uninstall_app(self, device_id: Id, *, bundle_id: str) -> None:
        """Ask a device to remove an app; it is gone when `installed_apps` leaves it out.

        Operation ``uninstallApp``, ``POST /api/user/uninstall-app/{device_id}/``.
        """
        self._tell("POST", "/api/user/uninstall-app/{device_id}/", form={"bundle_id": bundle_id}, device_id=device_id)
