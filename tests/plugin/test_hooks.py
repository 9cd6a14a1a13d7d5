from __future__ import annotations

from plugin.suites import Suite, said


def test_the_first_answer_chooses_the_device(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_select_device(query, candidates):
            assert str(query) == "platform=android"
            return next(device for device in candidates if device.udid == "phone-b")
        """
    )
    suite.tests(
        """
        @pytest.mark.device(platform="android")
        def test_chosen(leased_device):
            assert leased_device.udid == "phone-b"
        """
    )
    suite.run().assert_outcomes(passed=1)


def test_each_test_chooses_also_when_a_device_is_held_already(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_select_device(query, candidates):
            wanted = {"version==13": "phone-a", "version!=13": "phone-a", "version>=13": "phone-b"}
            return next((device for device in candidates if device.udid == wanted.get(str(query))), None)
        """
    )
    suite.tests(
        """
        @pytest.mark.device(version="==13")
        def test_one(leased_device):
            assert leased_device.udid == "phone-a"

        @pytest.mark.device(version=">=13")
        def test_two(leased_device):
            assert leased_device.udid == "phone-b"
        """
    )
    suite.run().assert_outcomes(passed=2)


def test_leased_and_released_come_in_pairs_around_the_session(suite: Suite) -> None:
    suite.conftest(
        """
        EVENTS = []

        def pytest_devicefarm_leased(lease):
            EVENTS.append(f"leased {lease.device.udid} {lease.reservation is not None}")

        def pytest_devicefarm_released(lease, error):
            EVENTS.append(f"released {lease.device.udid} {error}")

        def pytest_terminal_summary(terminalreporter):
            terminalreporter.write_line("; ".join(EVENTS))
        """
    )
    suite.tests(
        """
        @pytest.mark.device(platform="ios")
        def test_one(leased_device): pass

        @pytest.mark.device(platform="ios")
        def test_two(leased_device): pass
        """
    )
    result = suite.run()
    result.assert_outcomes(passed=2)
    assert "leased phone-i True; released phone-i None" in said(result)
    assert said(result).count("leased phone-i True") == 1


def test_released_tells_what_went_wrong(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_released(lease, error):
            with open("released.txt", "a") as file:
                print(lease.device.udid, type(error).__name__, file=file)
        """
    )
    suite.tests("@pytest.mark.device(platform='android')\ndef test_one(appium_driver): pass\n")
    suite.farm.fails("hub.create", "session_not_created")
    suite.run("--farm-retries=1").assert_outcomes(passed=1)
    assert suite.path.joinpath("released.txt").read_text().split("\n") == [
        "phone-a SessionNotCreated",
        "phone-b NoneType",
        "",
    ]


def test_a_flaw_in_released_keeps_nothing_from_being_given_back(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_released(lease):
            raise ValueError("I am a flaw")
        """
    )
    suite.tests("def test_flawed_release(appium_driver): pass")
    result = suite.run()
    result.assert_outcomes(passed=1)
    assert "ValueError: I am a flaw" in said(result)
    assert suite.leftovers() == []
    assert suite.farm.verdicts("test_flawed_release") == [["PASSED"]]


def test_artifacts_of_ones_own_go_where_all_go(suite: Suite) -> None:
    suite.conftest(
        """
        from pathlib import Path

        from pytest_devicefarm.core.model import Artifact, ArtifactKind

        def pytest_devicefarm_artifacts(test, session):
            path = Path("own.txt").absolute()
            path.write_text(f"{test.nodeid} {test.outcome} {test.try_number} {session.id.isdigit()}")
            return [Artifact(ArtifactKind.DEVICE_LOG, "own.txt", path, "text/plain")]

        def pytest_devicefarm_attach(config, test, artifact):
            with open("attached.txt", "a") as file:
                print(test.nodeid, artifact.name, artifact.path and artifact.path.name, file=file)
        """
    )
    suite.tests("def test_own(appium_driver): pass")
    suite.run().assert_outcomes(passed=1)
    assert suite.path.joinpath("own.txt").read_text() == "test_suite.py::test_own passed 1 True"
    assert "test_suite.py::test_own own.txt own.txt" in suite.path.joinpath("attached.txt").read_text()


def test_a_flaw_in_artifacts_costs_nothing_but_its_artifacts(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_artifacts(test, session):
            raise ValueError("I am a flaw")
        """
    )
    suite.tests("def test_own(appium_driver): pass")
    result = suite.run()
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    assert "pytest_devicefarm_artifacts: ValueError: I am a flaw" in said(result)


def test_attach_is_called_in_the_controller_for_tests_of_workers(suite: Suite) -> None:
    suite.conftest(
        """
        def pytest_devicefarm_attach(config, test, artifact):
            assert not hasattr(config, "workerinput")
            with open("attached.txt", "a") as file:
                print(test.nodeid, artifact.kind, file=file)
        """
    )
    suite.tests("def test_one(appium_driver): pass\ndef test_two(appium_driver): pass\n")
    result = suite.process("-n", "2", "--farm-screenshot=on")
    result.assert_outcomes(passed=2)
    attached = suite.path.joinpath("attached.txt").read_text()
    assert "test_suite.py::test_one screenshot" in attached
    assert "test_suite.py::test_two screenshot" in attached


OWN_FARM = """
from pytest_devicefarm.core.farm import FarmSpec, Setting

SPEC = FarmSpec("own", "One of our own", "own_farm:OwnFarm", settings=(Setting("url", ("OWN_URL",), "where"),))

def pytest_devicefarm_farm():
    return SPEC
"""


def test_a_conftest_may_bring_a_farm(suite: Suite) -> None:
    suite.conftest(OWN_FARM)
    suite.path.joinpath("own_farm.py").write_text(
        "from support.farms import FakeFarm, a_device\n"
        "import conftest\n"
        "class OwnFarm(FakeFarm):\n"
        "    spec = conftest.SPEC\n"
        "    def __init__(self, settings, *, clock):\n"
        "        super().__init__(settings, clock=clock)\n"
        "        self.devices = [a_device('own-1')]\n"
    )
    suite.pytester.syspathinsert()
    suite.tests(
        """
        def test_own(leased_device, device_farm):
            assert leased_device.udid == "own-1"
            assert device_farm.spec.name == "own"
        """
    )
    result = suite.run("--farm=own", "--farm-url", "http://127.0.0.1:9")
    result.assert_outcomes(passed=1)
    assert "device farm: own (http://127.0.0.1:9)" in said(result)
