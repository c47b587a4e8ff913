"""When an opened container must be gone, and which rule says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesoformula import Formulary, Part, Permission, Product, Quantity, parse_quantity, quantity, show
from mesoformula.clock import day_end
from mesoformula.errors import QuantityError
from mesoformula.findings import Severity
from mesoformula.holdings import _volume as held_volume
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import ContainerKind, Doses, Form, Method, Reconstitution, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.opened.beyond_use import (
    EXPIRY,
    IN_USE_PERIOD,
    NO_RULE,
    STABILITY,
    BeyondUse,
    beyond_use,
    end_of_period,
    opened_mass,
    opened_volume,
    shared,
)

PARIS = ZoneInfo("Europe/Paris")
LABEL = Source(SourceKind.IFU, "a fictional leaflet", date(2026, 11, 23))
OPENED = datetime(2026, 11, 1, 10, 0, tzinfo=PARIS)
FAR = date(2030, 1, 1)


def product(
    doses: str = "multi",
    container: str = "vial",
    in_use: str | None = None,
    stability: str | None = None,
    parts: tuple[Part, ...] | None = None,
    **more: Any,
) -> Product:
    return Product(
        Vendor("acme", "Acme"),
        "x",
        "X",
        parts or (Part(ContainerKind(container), Form.SOLUTION, volume=parse_quantity("5 mL")),),
        (LABEL,),
        doses=Doses(doses),
        in_use_period=parse_quantity(in_use) if in_use else None,
        stability_after_preparation=parse_quantity(stability) if stability else None,
        **more,
    )


@pytest.fixture(scope="session")
def rules(formulary: Formulary) -> tuple[BeyondUseRule, ...]:
    """The bundled rules."""
    return formulary.beyond_use_rules()


def local(found: BeyondUse) -> str:
    assert found.until is not None
    return found.until.astimezone(PARIS).isoformat(timespec="minutes")


class TestWhatGoverns:
    def test_a_multi_dose_vial_keeps_28_days_where_its_maker_states_nothing(self, rules: Any) -> None:
        found = beyond_use(product(), OPENED, FAR, PARIS, rules)

        assert local(found) == "2026-11-29T00:00+01:00"
        assert found.until is not None
        assert found.until.tzinfo is UTC
        assert (found.rule, found.session_only) == ("multi-dose-28-days", False)
        assert found.reason == (
            "28 days after opening (US: 16 CCR §1751.9), as the maker states no in-use period"
        )
        assert found.source is not None
        assert (found.source.kind, "casetext" in found.source.where) == (SourceKind.REG, True)
        assert [other.rule for other in found.others] == [EXPIRY]

    @pytest.mark.parametrize(
        ("period", "until"),
        [("7 d", "2026-11-08T00:00"), ("60 d", "2026-12-31T00:00"), ("6 h", "2026-11-01T16:00")],
    )
    def test_the_makers_own_period_takes_its_place_be_it_shorter_or_longer(
        self, rules: Any, period: str, until: str
    ) -> None:
        found = beyond_use(product(in_use=period), OPENED, FAR, PARIS, rules)

        assert (local(found), found.rule) == (f"{until}+01:00", IN_USE_PERIOD)
        assert found.reason == f"{period} after first opening, as the maker states"
        assert found.source == LABEL
        replaced = [other for other in found.others if not other.applies]
        assert [other.rule for other in replaced] == ["multi-dose-28-days"]
        assert replaced[0].reason.endswith("but the maker states an in-use period")

    @pytest.mark.parametrize(
        ("doses", "container", "rule"),
        [
            ("single", "vial", "single-dose-this-session"),
            ("single", "syringe", "single-dose-this-session"),
            ("not stated", "not stated", "doses-not-stated-this-session"),
            ("single", "ampoule", "ampoule-never-kept"),
            ("not stated", "ampoule", "ampoule-never-kept"),
            ("multi", "ampoule", "ampoule-never-kept"),
        ],
    )
    def test_what_is_not_for_many_doses_serves_this_session_only(
        self, rules: Any, doses: str, container: str, rule: str
    ) -> None:
        found = beyond_use(product(doses, container), OPENED, FAR, PARIS, rules)

        assert (found.until, found.session_only, found.rule) == (None, True, rule)
        assert found.source is not None

    def test_doses_that_are_not_stated_are_said_to_count_as_single(self, rules: Any) -> None:
        found = beyond_use(product("not stated"), OPENED, None, PARIS, rules)

        assert "not stated, so that it counts as single-dose" in found.reason

    @pytest.mark.parametrize(("doses", "container"), [("multi", "ampoule"), ("not stated", "vial")])
    @pytest.mark.parametrize("prepared", [False, True])
    def test_no_period_of_the_maker_keeps_an_ampoule_or_what_counts_as_single_dose(
        self, rules: Any, doses: str, container: str, prepared: bool
    ) -> None:
        own = product(doses, container, in_use="28 d", stability="24 h")
        for known in (rules, ()):
            found = beyond_use(own, OPENED, FAR, PARIS, known, prepared=prepared)

            assert (found.until, found.session_only) == (None, True)
            (period,) = [other for other in found.others if other.rule == IN_USE_PERIOD]
            assert (period.applies, "multi-dose" in period.reason) == (False, True)

    def test_without_any_rule_only_what_the_maker_says_keeps_it(self) -> None:
        assert beyond_use(product(), OPENED, FAR, PARIS, ()).rule == NO_RULE
        assert beyond_use(product(), OPENED, FAR, PARIS, ()).session_only
        assert beyond_use(product(in_use="2 d"), OPENED, FAR, PARIS, ()).rule == IN_USE_PERIOD
        assert beyond_use(product(stability="2 d"), OPENED, FAR, PARIS, (), prepared=True).session_only

    def test_a_rule_more_can_only_shorten(self, rules: Any) -> None:
        own = BeyondUseRule("ours", "14 days here", (LABEL,), period=parse_quantity("14 d"))

        found = beyond_use(product(in_use="60 d"), OPENED, FAR, PARIS, (*rules, own))

        assert (local(found), found.rule) == ("2026-11-15T00:00+01:00", "ours")
        assert found.reason == "14 days here"
        assert beyond_use(product("single"), OPENED, FAR, PARIS, (own, *rules)).session_only

    def test_a_moment_without_a_time_zone_is_refused(self, rules: Any) -> None:
        with pytest.raises(ValueError, match="time zone"):
            beyond_use(product(), datetime(2026, 11, 1), FAR, PARIS, rules)  # noqa: DTZ001


class TestPrepared:
    @pytest.mark.parametrize(
        ("in_use", "stability", "rule", "until"),
        [
            ("28 d", "24 h", STABILITY, "2026-11-02T10:00+01:00"),
            ("2 h", "24 h", IN_USE_PERIOD, "2026-11-01T12:00+01:00"),
            ("28 d", None, IN_USE_PERIOD, "2026-11-29T00:00+01:00"),
            (None, "24 h", STABILITY, "2026-11-02T10:00+01:00"),
            (None, "60 d", "multi-dose-28-days", "2026-11-29T00:00+01:00"),
        ],
    )
    def test_the_lesser_of_in_use_period_and_stability_applies(
        self, rules: Any, in_use: str | None, stability: str | None, rule: str, until: str
    ) -> None:
        own = product(in_use=in_use, stability=stability)

        found = beyond_use(own, OPENED, FAR, PARIS, rules, prepared=True)

        assert (found.rule, local(found)) == (rule, until)

    def test_stability_says_nothing_of_what_is_not_prepared(self, rules: Any) -> None:
        found = beyond_use(product(stability="2 h"), OPENED, FAR, PARIS, rules)

        assert found.rule == "multi-dose-28-days"
        assert STABILITY not in [other.rule for other in found.others]

    def test_of_what_is_prepared_nobody_guesses_how_long_it_is_stable(self, rules: Any) -> None:
        found = beyond_use(product(), OPENED, FAR, PARIS, rules, prepared=True)

        assert (found.until, found.session_only, found.rule) == (None, True, STABILITY)
        assert "not stated" in found.reason

    def test_a_single_dose_powder_shows_its_stability_beside_the_session(self, formulary: Formulary) -> None:
        cernevit = formulary.product("baxter/cernevit")

        found = beyond_use(cernevit, OPENED, FAR, PARIS, formulary.beyond_use_rules(), prepared=True)

        assert (found.until, found.rule) == (None, "doses-not-stated-this-session")
        (stable,) = [other for other in found.others if other.rule == STABILITY]
        assert stable.until == OPENED + timedelta(hours=24)

    def test_a_rule_may_be_for_what_is_prepared_or_for_what_is_not(self) -> None:
        after = BeyondUseRule("a", "1 day", (LABEL,), prepared=True, period=parse_quantity("1 d"))
        before = attrs.evolve(after, id="b", prepared=False)
        own = product(stability="28 d")

        assert beyond_use(own, OPENED, None, PARIS, (after, before), prepared=True).rule == "a"
        assert beyond_use(own, OPENED, None, PARIS, (after, before)).rule == "b"

    def test_what_is_dissolved_stands_in_the_container_of_its_powder(self, rules: Any) -> None:
        powder = Part(ContainerKind.VIAL, Form.POWDER, name="powder")
        solvent = Part(ContainerKind.AMPOULE, Form.SOLUTION, name="solvent")
        kit = product(in_use="7 d", parts=(powder, solvent))

        assert beyond_use(kit, OPENED, FAR, PARIS, rules, prepared=True).rule == IN_USE_PERIOD
        assert beyond_use(kit, OPENED, FAR, PARIS, rules).rule == "ampoule-never-kept"


class TestExpiry:
    def test_no_period_goes_past_the_end_of_the_expiry_day(self, rules: Any) -> None:
        found = beyond_use(product(in_use="60 d"), OPENED, date(2026, 11, 20), PARIS, rules)

        assert (local(found), found.rule) == ("2026-11-21T00:00+01:00", EXPIRY)
        assert found.reason == "its lot may be used through 2026-11-20"
        assert found.source is None

    def test_it_is_usable_through_its_last_day(self, rules: Any) -> None:
        found = beyond_use(product(in_use="6 h"), OPENED.replace(hour=20), date(2026, 11, 1), PARIS, rules)

        assert (local(found), found.rule) == ("2026-11-02T00:00+01:00", EXPIRY)

    @pytest.mark.parametrize("doses", Doses)
    def test_a_lot_that_had_expired_was_to_be_gone_before_it_was_opened(
        self, rules: Any, doses: Doses
    ) -> None:
        found = beyond_use(product(doses), OPENED, date(2026, 10, 31), PARIS, rules)

        assert (local(found), found.rule) == ("2026-11-01T00:00+01:00", EXPIRY)
        assert found.until is not None
        assert found.until < OPENED
        assert found.session_only == (doses is not Doses.MULTI)
        assert "expired" in found.reason

    def test_the_day_is_that_of_the_site(self) -> None:
        assert day_end(date(2026, 11, 1), ZoneInfo("Pacific/Auckland")).hour == 11
        assert day_end(date(2026, 11, 1), ZoneInfo("America/New_York")).hour == 5  # the day has 25 hours

    def test_a_day_ends_where_the_clock_leaps_over_midnight(self) -> None:
        # Put forward at 00:00 on 8 September 2024, back at 01:00 on 3 November 2024.
        santiago, havana = ZoneInfo("America/Santiago"), ZoneInfo("America/Havana")

        assert day_end(date(2024, 9, 7), santiago) == datetime(2024, 9, 8, 4, tzinfo=UTC)
        assert day_end(date(2024, 11, 2), havana) == datetime(2024, 11, 3, 4, tzinfo=UTC)

    def test_the_last_day_of_the_calendar_is_no_crash(self, rules: Any) -> None:
        found = beyond_use(product(in_use="9999999 d"), OPENED, date.max, PARIS, rules)

        assert found.until is not None
        assert found.until.year == 9999


class TestPeriods:
    @pytest.mark.parametrize(
        ("opened", "period", "until"),
        [
            ("2026-11-01T10:00", "28 d", "2026-11-29T00:00"),
            ("2026-11-01T10:00", "4 wk", "2026-11-29T00:00"),
            ("2026-11-01T23:59", "1 d", "2026-11-02T00:00"),
            ("2026-11-01T00:00", "1 d", "2026-11-02T00:00"),
            ("2026-11-01T10:00", "24 h", "2026-11-02T10:00"),
            ("2026-11-01T10:00", "1.5 d", "2026-11-02T22:00"),
            ("2026-11-01T10:00:59.9", "30 min", "2026-11-01T10:30"),
            ("2026-11-01T10:00:45", "90 s", "2026-11-01T10:02"),
            # The clocks are put forward on 29 March at 02:00, and back on 25 October at 03:00.
            ("2026-03-28T10:00", "2 d", "2026-03-30T00:00"),
            ("2026-03-28T10:00", "24 h", "2026-03-29T11:00"),
            ("2026-03-28T10:00", "28 d", "2026-04-25T00:00"),
            ("2026-10-24T10:00", "2 d", "2026-10-26T00:00"),
            ("2026-10-24T10:00", "24 h", "2026-10-25T09:00"),
            # Two days from midnight end an hour before those two days do, which have 49 hours.
            ("2026-10-24T00:00", "2 d", "2026-10-25T23:00"),
            ("2026-10-25T00:30", "1 d", "2026-10-25T23:30"),
            ("2026-10-25T01:30", "1 d", "2026-10-26T00:00"),
        ],
    )
    def test_hours_run_from_the_opening_and_days_end_with_the_day(
        self, opened: str, period: str, until: str
    ) -> None:
        moment = datetime.fromisoformat(opened).replace(tzinfo=PARIS)

        found = end_of_period(parse_quantity(period), moment, PARIS)

        assert found.astimezone(PARIS).replace(tzinfo=None) == datetime.fromisoformat(until)

    def test_the_opening_may_be_told_in_any_zone(self) -> None:
        in_tokyo = OPENED.astimezone(ZoneInfo("Asia/Tokyo"))

        until = end_of_period(parse_quantity("28 d"), in_tokyo, PARIS)

        assert until == datetime(2026, 11, 28, 23, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["1 month", "1 mo", "6 months", "1 year"])
    def test_months_differ_in_length_and_are_not_read(self, text: str) -> None:
        with pytest.raises(QuantityError):
            parse_quantity(text, "time")

    def test_what_is_no_time_is_no_period(self) -> None:
        with pytest.raises(QuantityError):
            end_of_period(parse_quantity("5 mL"), OPENED, PARIS)


ZONES: list[tzinfo] = [
    PARIS,
    UTC,
    ZoneInfo("America/New_York"),
    ZoneInfo("America/Santiago"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
    timezone(timedelta(hours=14)),
]
zones = st.sampled_from(ZONES)
moments = st.builds(
    lambda since, zone: (datetime(2020, 1, 1, tzinfo=UTC) + since).astimezone(zone),
    st.timedeltas(timedelta(0), timedelta(days=5000)),
    st.sampled_from([UTC, PARIS]),
)
days = st.dates(date(2019, 1, 1), date(2037, 1, 1))
periods = st.builds(
    lambda number, unit: quantity(Decimal(number), unit),
    st.decimals("0.1", "800", places=1),
    st.sampled_from(["min", "h", "d", "wk"]),
)
products = st.builds(
    lambda doses, container, in_use, stability: attrs.evolve(
        product(doses, container), in_use_period=in_use, stability_after_preparation=stability
    ),
    st.sampled_from(Doses),
    st.sampled_from(ContainerKind),
    st.none() | periods,
    st.none() | periods,
)


def after(moment: datetime, period: Quantity) -> datetime:
    exact = int(period.to("s").magnitude * 1_000_000)
    return moment.astimezone(UTC) + timedelta(microseconds=exact)


class TestOpeningNeverLengthens:
    @given(periods, moments, zones)
    @example(quantity(2, "d"), datetime(2026, 10, 24, tzinfo=PARIS), PARIS)
    def test_a_period_is_never_longer_than_it_says_and_ends_on_a_minute(
        self, period: Quantity, opened_at: datetime, zone: tzinfo
    ) -> None:
        until = end_of_period(period, opened_at, zone)

        assert until <= after(opened_at, period)
        assert (until.second, until.microsecond) == (0, 0)
        assert after(opened_at, period) - until < timedelta(days=1, hours=2)

    @given(products, moments, st.none() | days, zones, st.booleans())
    def test_nothing_is_kept_past_any_of_its_limits(
        self, rules: Any, own: Product, opened_at: datetime, expiry: date | None, zone: tzinfo, prepared: bool
    ) -> None:
        found = beyond_use(own, opened_at, expiry, zone, rules, prepared=prepared)

        kept = own.doses is Doses.MULTI and own.parts[0].container is not ContainerKind.AMPOULE
        limits = [after(opened_at, own.in_use_period or quantity(28, "d"))]
        if prepared and own.stability_after_preparation is not None:
            limits.append(after(opened_at, own.stability_after_preparation))
        if expiry is not None:
            # The last minute of the day is of the day; the moment itself is not.
            assert (
                found.until is None or (found.until - timedelta(minutes=1)).astimezone(zone).date() <= expiry
            )
        assert found.until is None or found.until <= min(limits) or found.until <= opened_at
        assert kept or found.session_only
        assert (found.until is None) <= found.session_only
        assert found.session_only <= (found.until is None or found.rule == EXPIRY)
        assert len({found.rule, *(other.rule for other in found.others)}) == 1 + len(found.others)
        applying = [other.until for other in found.others if other.applies and other.until is not None]
        assert found.until is None or all(found.until <= other for other in applying)

    @given(products, moments, st.timedeltas(timedelta(0), timedelta(days=40)), st.none() | days, zones)
    def test_who_opens_later_never_has_less_time_left_on_the_calendar(
        self,
        rules: Any,
        own: Product,
        opened_at: datetime,
        later: timedelta,
        expiry: date | None,
        zone: tzinfo,
    ) -> None:
        first = beyond_use(own, opened_at, expiry, zone, rules)
        second = beyond_use(own, opened_at.astimezone(UTC) + later, expiry, zone, rules)

        if first.until is not None and second.until is not None:
            assert first.until <= second.until

    @given(products, moments, days, st.integers(0, 400), zones)
    def test_a_later_expiry_never_takes_time_away(
        self, rules: Any, own: Product, opened_at: datetime, expiry: date, more: int, zone: tzinfo
    ) -> None:
        first = beyond_use(own, opened_at, expiry, zone, rules)
        second = beyond_use(own, opened_at, expiry + timedelta(days=more), zone, rules)

        if first.until is not None and second.until is not None:
            assert first.until <= second.until


class TestSharing:
    def test_one_multi_dose_container_for_two_sessions_is_a_warning_with_its_sources(
        self, formulary: Formulary
    ) -> None:
        (finding,) = shared(product(), formulary.sharing_rules())

        assert (finding.code, finding.severity) == ("multi-dose-shared", Severity.WARN)
        assert finding.subject == "acme/x"
        assert len(finding.sources) == 2

    def test_it_says_nothing_of_what_is_never_shared(self, formulary: Formulary) -> None:
        assert shared(product("single"), formulary.sharing_rules()) == ()


class TestWhatItYields:
    @pytest.mark.parametrize(
        ("name", "volume", "mass"),
        [
            ("fillmed/nctf-135ha", "3 mL", None),
            ("fresenius-kabi/soluvit-n", "10 mL", None),  # as its label counts it
            ("baxter/cernevit", "5 mL", None),
            ("kyowa-kirin/pabrinex-im", "7 mL", None),  # 5 mL and 2 mL, as its label says
            ("professional-derma/jalupro-hmw", "2.5 mL", None),
            ("professional-dietetics/sunekos-cell-15", None, None),  # mixed or not is not stated
            ("tationil/tationil-600", None, None),  # what the powder displaces is not stated
            ("nithya/nithya-face", None, "70 mg"),
            ("wockhardt/hyalase-1500", None, None),
        ],
    )
    def test_a_container_yields_what_its_label_says(
        self, formulary: Formulary, name: str, volume: str | None, mass: str | None
    ) -> None:
        own = formulary.product(name)

        found = opened_volume(own), opened_mass(own)

        assert tuple(one if one is None else show(one) for one in found) == (volume, mass)

    def test_no_bundled_product_yields_another_volume_than_where_substances_are_looked_up(
        self, formulary: Formulary
    ) -> None:
        for own in formulary.products():
            volume = opened_volume(own)
            expected = held_volume(own, None if own.is_kit else own.parts[0])
            assert (volume and volume.to("mL").magnitude) == expected, own.id

    @staticmethod
    def kit(liquid: str = "4 mL", diluents: tuple[str, ...] = (), **more: Any) -> Product:
        made = Reconstitution(
            parse_quantity("4 mL"), Method.ADD, diluents, displacement=parse_quantity("0.25 mL")
        )
        powder = Part(
            ContainerKind.VIAL, Form.POWDER, name="powder", reconstitution=attrs.evolve(made, **more)
        )
        solvent = Part(ContainerKind.AMPOULE, Form.SOLUTION, name="solvent", volume=parse_quantity(liquid))
        return product(parts=(powder, solvent), kit_is_mixed=Permission.YES)

    def test_a_solvent_is_not_counted_beside_what_it_makes(self) -> None:
        found = opened_volume(self.kit())

        assert found is not None
        assert show(found) == "4.25 mL"

    def test_nobody_guesses_how_much_of_a_kits_liquid_is_taken(self) -> None:
        assert opened_volume(self.kit("5 mL")) is None
        assert opened_volume(self.kit(method=Method.MAKE_UP_TO)) is None
        assert opened_volume(attrs.evolve(self.kit(), kit_is_mixed=Permission.NOT_STATED)) is None

    def test_a_kit_makes_what_its_label_says(self) -> None:
        found = opened_volume(attrs.evolve(self.kit("5 mL"), mixed_volume=parse_quantity("5.3 mL")))

        assert found is not None
        assert show(found) == "5.3 mL"

    def test_several_of_one_kind_make_one_kit(self) -> None:
        part = Part(ContainerKind.VIAL, Form.SOLUTION, per_kit=3, volume=parse_quantity("0.1 mL"))
        found = opened_volume(product(parts=(part,), kit_is_mixed=Permission.YES))

        assert found is not None
        assert found.magnitude == Decimal("0.3")

    def test_a_gel_sold_by_mass_is_measured_by_mass(self) -> None:
        part = Part(
            ContainerKind.SYRINGE, Form.GEL, mass=parse_quantity("1 g"), density=parse_quantity("1.03 g/mL")
        )
        own = product(parts=(part,))

        assert opened_volume(own) is None
        assert opened_mass(own) == parse_quantity("1 g")
