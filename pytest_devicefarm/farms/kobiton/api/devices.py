"""Devices the account can see."""

from __future__ import annotations

from typing import Any

from pytest_devicefarm.core.replies import Id
from pytest_devicefarm.farms.kobiton.api._reply import Answer, Reply
from pytest_devicefarm.farms.kobiton.api._resource import Resource


class Support(Reply, frozen=True):
    """Switches that turn features of a device off."""

    appium_disabled: bool | None = None
    network_traffic_capturing_disabled: bool | None = None
    network_payload_capture_disabled: bool | None = None


class Device(Reply, frozen=True):
    """One device; cloud entries may come without ``udid``.

    Attributes:
        platform_name: In changing case: ``ANDROID``, ``Android``, ``iOS``.
        state: ``ACTIVATED``, ``UTILIZING`` or ``DISCONNECTED`` where it is told.
    """

    id: Id
    udid: str = ""
    device_name: str = ""
    model_name: str = ""
    brand_name: str = ""
    platform_name: str = ""
    platform_version: str = ""
    is_booked: bool | None = None
    is_online: bool | None = None
    is_hidden: bool | None = None
    is_cloud: bool | None = None
    is_my_org: bool | None = None
    is_my_own: bool | None = None
    is_favorite: bool | None = None
    is_emulator: bool | None = None
    manufacturer: str = ""
    hosted_by: str | None = None
    state: str = ""
    tags: tuple[str, ...] = ()
    support: Support | None = None
    resolution: dict[str, Any] | None = None
    installed_browsers: tuple[dict[str, Any], ...] = ()
    device_image_url: str = ""


class DeviceLists(Answer, frozen=True):
    """Devices in three lists; one device may be in several."""

    private_devices: tuple[Device, ...] = ()
    favorite_devices: tuple[Device, ...] = ()
    cloud_devices: tuple[Device, ...] = ()


class DeviceStatus(Reply, frozen=True):
    """Whether a device is in use and can be reached."""

    is_booked: bool | None = None
    is_online: bool | None = None


class Devices(Resource):
    """Calls below ``/devices``."""

    def list(
        self,
        *,
        group_id: int | None = None,
        udid: str | None = None,
        is_booked: bool | None = None,
        is_online: bool | None = None,
        model_name: str | None = None,
        device_name: str | None = None,
        platform_name: str | None = None,
        platform_version: str | None = None,
        browser_name: str | None = None,
        appium_disabled: bool | None = None,
        is_plugged: bool | None = None,
    ) -> DeviceLists:
        """Private, favorite and cloud devices, filtered by the farm. Operation ``getDevices``, ``GET /devices``.

        Args:
            group_id: Group in whose context the list is made.
            udid: Keeps the cloud device with this UDID.
            device_name: One name, with ``*`` at either end if wanted, or several joined by commas.
            platform_version: One version, or several joined by commas.
        """
        return self._ask(
            "GET",
            "/devices",
            DeviceLists,
            query={
                "groupId": group_id,
                "udid": udid,
                "isBooked": is_booked,
                "isOnline": is_online,
                "modelName": model_name,
                "deviceName": device_name,
                "platformName": platform_name,
                "platformVersion": platform_version,
                "browserName": browser_name,
                "appiumDisabled": appium_disabled,
                "isPlugged": is_plugged,
            },
        )

    def get(self, udid: str) -> Device:
        """One device. Operation ``getDeviceInformation``, ``GET /devices/{deviceUDID}``."""
        return self._ask("GET", "/devices/{deviceUDID}", Device, deviceUDID=udid)

    def status(self, device_id: Id) -> DeviceStatus:
        """Booked and online. Operation ``getDeviceStatus``, ``GET /devices/{deviceId}/status``."""
        return self._ask("GET", "/devices/{deviceId}/status", DeviceStatus, deviceId=device_id)

    def mark_favorite(self, device_id: Id) -> None:
        """Add to the account's favorites. Operation ``markDeviceFavorite``, ``POST /devices/{deviceId}/favorite``."""
        self._tell("POST", "/devices/{deviceId}/favorite", deviceId=device_id)

    def unmark_favorite(self, device_id: Id) -> None:
        """Take out of the favorites. Operation ``unmarkDeviceFavorite``, ``DELETE /devices/{deviceId}/favorite``."""
        self._tell("DELETE", "/devices/{deviceId}/favorite", deviceId=device_id)
