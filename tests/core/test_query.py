from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_devicefarm.core.errors import ConfigurationError
from pytest_devicefarm.core.model import Device
from pytest_devicefarm.core.query import DeviceQuery, matching, narrow, near_misses
from pytest_devicefarm.core.versions import normal_version


def a_device(**facts: Any) -> Device:
    known: dict[str, Any] = {"id": "1", "udid": "u1", "name": "Galaxy S22", "platform": "android", "version": "12"}
    return Device(**(known | facts))


# texts


@pytest.mark.parametrize(
    "pattern", ["Galaxy S22", "galaxy s22", "Galaxy*", "*S22", "*axy*", "G*S*2", "*", "  Galaxy S22 "]
)
def test_names_fit_with_wildcards_in_any_case(pattern: str) -> None:
    assert DeviceQuery.of(name=pattern).reject(a_device()) == ()


@pytest.mark.parametrize(
    "pattern", ["Galaxy", "Galaxy S2", "Galaxy S22*2", "[G]alaxy S22", "Galaxy S2?", "*S2", "Galaxy S22 Ultra"]
)
def test_other_names_do_not_fit_and_only_the_star_is_a_wildcard(pattern: str) -> None:
    assert DeviceQuery.of(name=pattern).reject(a_device()) == (f'name "Galaxy S22" is not "{pattern}"',)


def test_accents_and_spaces_fit_however_they_are_composed() -> None:
    assert not DeviceQuery.of(name="Jürgens iPhone").reject(a_device(name="Ju\u0308rgens\u00a0iPhone"))


def test_many_wildcards_do_not_take_long() -> None:
    assert DeviceQuery.of(name="a*" * 500 + "b").reject(a_device(name="a" * 5000))


def test_a_text_the_farm_does_not_tell_is_called_unknown() -> None:
    assert DeviceQuery.of(model="SM-*").reject(a_device()) == ('model is unknown and is not "SM-*"',)


def test_all_tags_are_needed() -> None:
    query = DeviceQuery.of(tags=["5g", "Lab"])
    assert query.reject(a_device(tags=("lab", "5G", "x"))) == ()
    assert query.reject(a_device(tags=("5g",))) == ('has no tag "Lab"',)


@pytest.mark.parametrize(
    ("wanted", "real", "reason"),
    [
        (True, True, None),
        (False, False, None),
        (True, False, "is an emulator or simulator, not a real device"),
        (False, True, "is a real device, not an emulator or simulator"),
        (True, None, "the farm does not say whether it is real, wanted real=yes"),
    ],
)
def test_real_devices_can_be_asked_for(wanted: bool, real: bool | None, reason: str | None) -> None:
    assert DeviceQuery.of(real=wanted).reject(a_device(real=real)) == (() if reason is None else (reason,))


# versions


@pytest.mark.parametrize(
    ("spelt", "version"),
    [
        ("12", "12"),
        ("12L", "12.1"),
        ("12.0.1", "12.0.1"),
        ("15.4 beta 2", "15.4"),
        ("16.0b1", "16.0"),
        ("Android 13", "13"),
    ],
)
def test_versions_are_read_as_farms_spell_them(spelt: str, version: str) -> None:
    assert str(normal_version(spelt)) == version


@pytest.mark.parametrize("spelt", ["", "Tiramisu", "unknown 7 or so", "9" * 5000])
def test_a_version_without_number_is_unknown(spelt: str) -> None:
    assert normal_version(spelt) is None


@pytest.mark.parametrize(
    ("wanted", "spelt", "fits"),
    [
        (">=12", "12", True),
        (">=12", "11", False),
        ("==12", "12.0.1", True),
        ("==12", "12L", True),
        ("==12", "13", False),
        ("==12.*", "12.1", True),
        ("!=12", "12.1", False),
        ("!=12", "13", True),
        ("==12.1", "12L", True),
        ("~=15.2", "15.4 beta", True),
        ("~=15.2", "16", False),
        (">=12,<14", "13", True),
        (">= 12 , < 14", "14", False),
        ("===12", "12", True),
        (">=16.0b1", "16.0 beta", True),
        (">=12", "", False),
        ("!=12", "Tiramisu", False),
    ],
)
def test_versions_follow_pep_440_on_the_normal_version(wanted: str, spelt: str, fits: bool) -> None:
    assert (not DeviceQuery.of(version=wanted).reject(a_device(version=spelt))) is fits


@pytest.mark.parametrize(
    ("spelt", "reason"),
    [
        ("11", "version 11 is not >=12"),
        ("15 beta", "version 15 beta (15) is not <14"),
        ("", "version is unknown, wanted >=12,<14"),
        ("Tiramisu", 'version "Tiramisu" has no number, wanted >=12,<14'),
    ],
)
def test_the_reason_names_the_version_and_what_it_fails(spelt: str, reason: str) -> None:
    assert DeviceQuery.of(version=">=12,<14").reject(a_device(version=spelt)) == (reason,)


@pytest.mark.parametrize("version", [">>3", "12", "latest", ">=", "~=12", "==12+local", ">=12,", ">=12,>>3"])
def test_an_unreadable_version_is_named_with_an_example(version: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DeviceQuery.of(version=version)
    assert repr(version.split(",")[-1]) in str(caught.value)
    assert 'version=">=12"' in str(caught.value)


# contradictions


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        ({"platform": "android"}, {"platform": "ios"}, ('platform="android"', 'platform="ios"')),
        ({"name": "Pixel 8"}, {"name": "Galaxy*"}, ('name="Pixel 8"', 'name="Galaxy*"')),
        ({"name": "Galaxy*"}, {"name": "Pixel*"}, ('name="Galaxy*"', 'name="Pixel*"')),
        ({"name": "*Pro"}, {"name": "*Max"}, ('name="*Pro"', 'name="*Max"')),
        ({"version": "==12"}, {"version": ">=13"}, ("version==12", "version>=13")),
        ({"version": "<12"}, {"version": ">=12"}, ("version<12", "version>=12")),
        ({"version": "~=15.2"}, {"version": "==16"}, ("version~=15.2", "version==16")),
        ({"version": "==12"}, {"version": "!=12"}, ("version==12", "version!=12")),
        ({"version": ">=12,<13"}, {"version": "!=12"}, (">=12", "<13", "!=12")),
        ({"real": True}, {"real": False}, ("real=yes", "real=no")),
    ],
)
def test_a_contradiction_names_both_sides(one: Any, other: Any, named: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DeviceQuery.of(**one) & DeviceQuery.of(**other)
    assert all(part in str(caught.value) for part in named)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"platform": "Android"}, {"platform": "android"}),
        ({"name": "Galaxy*"}, {"name": "*S22"}),
        ({"name": "Galaxy*"}, {"name": "Gal*"}),
        ({"version": ">12"}, {"version": "<12.0.0.2"}),
        ({"version": "==12"}, {"version": ">=12.1"}),
        ({"version": ">=12"}, {"version": "!=12"}),
        ({"tags": "a"}, {"tags": "b"}),
        ({"real": True}, {}),
    ],
)
def test_what_can_hold_together_is_no_contradiction(one: Any, other: Any) -> None:
    assert str(DeviceQuery.of(**one) & DeviceQuery.of(**other))


def test_a_single_query_can_contradict_itself() -> None:
    with pytest.raises(ConfigurationError, match="version<12 and version>=13 contradict"):
        DeviceQuery.of(version=">=13,<12")


# what is refused


@pytest.mark.parametrize(
    "wanted", [{"name": ""}, {"name": "  "}, {"version": ""}, {"version": " "}, {"tags": "a,,b"}, {"tags": ""}]
)
def test_an_empty_value_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        DeviceQuery.of(**wanted)


@pytest.mark.parametrize(
    "wanted",
    [{"name": ["a", "b"]}, {"version": 12}, {"tags": 7}, {"tags": [7]}, {"tags": []}, {"real": "yes"}, {"udid": 5}],
)
def test_a_value_of_the_wrong_type_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wanted))):
        DeviceQuery.of(**wanted)


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="'platfrom': did you mean 'platform'"):
        DeviceQuery.of(platfrom="ios")


def test_a_key_like_no_other_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="known are platform, version"):
        DeviceQuery.of(qqq="x")


def test_none_is_not_given() -> None:
    assert DeviceQuery.of(name=None, real=None) == DeviceQuery()


# one line


def test_a_line_is_read() -> None:
    assert DeviceQuery.parse("platform=android version>=12 name=Galaxy*") == DeviceQuery.of(
        platform="android", version=">=12", name="Galaxy*"
    )


def test_quotes_commas_and_switches_are_read() -> None:
    assert DeviceQuery.parse("""name='Galaxy S22' "model=SM 9" version>=12,<14 tags=a,b real=No""") == DeviceQuery.of(
        name="Galaxy S22", model="SM 9", version=">=12,<14", tags=("a", "b"), real=False
    )


@pytest.mark.parametrize("operator", ["==", "!=", "<=", ">=", "<", ">", "~=", "==="])
def test_every_pep_440_operator_is_read_behind_version(operator: str) -> None:
    assert DeviceQuery.parse(f"version{operator}12.1").version == f"{operator}12.1"


def test_a_key_given_twice_has_to_hold_twice() -> None:
    assert DeviceQuery.parse("name=Galaxy* name=*S22").name == ("*S22", "Galaxy*")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("platfrom=ios", "did you mean 'platform'"),
        ("name='Galaxy S22", "close every quote"),
        ("name=Galaxy S22", "'S22'"),
        ("name", "form name="),
        ("name==Galaxy", "form name="),
        ("name!=Galaxy", "form name="),
        ("name=", "name is empty"),
        ("version", "no operator"),
        ("version=12", "'=12'"),
        ("version>>3", "'>>3'"),
        ("real=perhaps", "neither yes nor no"),
        ("real=yes real=no", "contradict"),
        ("platform=ios platform=android", "contradict"),
        ("=x", "''"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DeviceQuery.parse(text)
    assert message in str(caught.value)


def test_a_query_without_wish_says_so() -> None:
    assert str(DeviceQuery()) == "any device"


def test_a_query_reads_as_it_was_written() -> None:
    text = 'platform=android version>=12,<14 name="Galaxy S22" tags=a,b real=yes'
    assert str(DeviceQuery.parse(text)) == text


def test_a_query_survives_pickling() -> None:
    query = DeviceQuery.parse("name=Galaxy* version>=12")
    assert pickle.loads(pickle.dumps(query)) == query


# near misses


FARM = [
    a_device(udid="1", name="Galaxy S22", version="12"),
    a_device(udid="2", name="Pixel 8", version="14"),
    a_device(udid="3", name="Pixel 6", version="11"),
    a_device(udid="4", name="iPhone 15", platform="ios", version="17.1"),
]


def test_near_misses_come_with_fewest_reasons_first() -> None:
    assert near_misses(FARM, DeviceQuery.of(platform="android", name="Pixel*", version=">=15"), limit=3) == [
        ("Pixel 6 (android 11, 3)", ("version 11 is not >=15",)),
        ("Pixel 8 (android 14, 2)", ("version 14 is not >=15",)),
        ("Galaxy S22 (android 12, 1)", ("version 12 is not >=15", 'name "Galaxy S22" is not "Pixel*"')),
    ]


def test_a_name_that_nearly_exists_is_suggested_first() -> None:
    name, reasons = near_misses(FARM, DeviceQuery.of(name="Galaxy S 22"))[0]
    assert name == "Galaxy S22 (android 12, 1)"
    assert reasons == ('name "Galaxy S22" is not "Galaxy S 22": did you mean "Galaxy S22"?',)


def test_a_name_that_exists_is_not_corrected() -> None:
    misses = near_misses(FARM, DeviceQuery.of(name="Pixel 8", version=">=15"))
    assert "did you mean" not in str(misses)


def test_devices_that_match_are_no_near_misses() -> None:
    assert near_misses(FARM, DeviceQuery()) == []


def test_several_queries_take_what_any_of_them_fits() -> None:
    queries = [DeviceQuery.of(platform="ios"), DeviceQuery.of(name="Pixel 6")]
    assert [device.udid for device in narrow(FARM, queries)] == ["3", "4"]
    assert narrow(FARM, []) == FARM


# order

PARTS: list[dict[str, Any]] = [
    {"platform": "Android"},
    {"platform": "android"},
    {"name": "*a*"},
    {"name": "Galaxy*"},
    {"version": ">=12"},
    {"version": "<14,!=13"},
    {"tags": "b,a"},
    {"real": True},
    {"model": 'S"M 1\\'},
]


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_parts_and_devices_does_not_matter(parts: list[dict[str, Any]], shuffle: random.Random) -> None:
    def joined(some: list[dict[str, Any]]) -> DeviceQuery:
        query = DeviceQuery()
        for part in some:
            query &= DeviceQuery.of(**part)
        return query

    shuffled_parts, shuffled_farm = list(parts), list(FARM)
    shuffle.shuffle(shuffled_parts)
    shuffle.shuffle(shuffled_farm)
    query = joined(parts)
    assert joined(shuffled_parts) == query
    assert query & query == query
    assert set(matching(shuffled_farm, query)) == set(matching(FARM, query))
    assert near_misses(shuffled_farm, query) == near_misses(FARM, query)


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_shown_can_be_read_again(parts: list[dict[str, Any]]) -> None:
    query = DeviceQuery()
    for part in parts:
        query &= DeviceQuery.of(**part)
    assert DeviceQuery.parse(str(query)) == query
