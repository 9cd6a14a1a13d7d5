"""The example suite on a pool of one's own, unchanged."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.pool import a_pool_run, app_servers, pool_toml
from support.runs import leftovers

EXAMPLE = Path(__file__).parents[3] / "example_suite"


def test_the_example_suite_on_two_servers_and_four_phones(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache", "farm-results"))
    with app_servers(2) as servers:
        listed = [{"name": f"lab-{number}", "url": url} for number, (_, url) in enumerate(servers)]
        phones = [
            {
                "udid": f"phone-{n}",
                "name": f"Phone {n}",
                "platform": "android",
                "version": 12 + n,
                "server": f"lab-{n % 2}",
            }
            for n in range(4)
        ]
        (folder / "devicefarm.toml").write_text(pool_toml(listed, phones))
        with a_pool_run(folder, "-n", "4") as run:
            assert run.wait(120) == 0, run.output
        opened = [facts for double, _ in servers for facts in double.opened]
        assert all(not double.sessions for double, _ in servers)
    assert len({facts["udid"] for facts in opened}) == 4
    assert leftovers(folder) == []
    for name in ("systemPort", "mjpegServerPort", "chromedriverPort"):
        used = {(facts["udid"], facts[name]) for facts in opened}
        assert len({port for _, port in used}) == len({udid for udid, _ in used}) == 4
