"""Which door times and appointments can be meant."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.model.events import TicketIssued, decode
from attente.model.instants import milliseconds, text_of
from attente.model.plausible import check_plausible
from attente.model.reasons import Reason, Refusal
from model.model_files import EXAMPLES

HOUR = 3_600_000
DAY = 24 * HOUR
AT = 1_795_421_643_120  # 2026-11-23T08:14:03.120Z


def issue(*, arrived: int | str = "", due: int | str = "") -> TicketIssued:
    event = decode(EXAMPLES["ticket.issued"])
    assert isinstance(event, TicketIssued)
    assert milliseconds(event.time) == AT
    texts = {
        name: text if isinstance(text, str) else text_of(text) for name, text in (("arrived", arrived), ("due", due))
    }
    return msgspec.structs.replace(event, **texts)


def refused(event: TicketIssued) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_plausible(event, AT)
    return caught.value


def test_an_issue_without_either_has_neither() -> None:
    assert check_plausible(issue(), AT) == (0, 0)


def test_each_is_given_in_milliseconds() -> None:
    assert check_plausible(issue(arrived=AT - 60_000, due=AT + HOUR), AT) == (AT - 60_000, AT + HOUR)
    assert check_plausible(issue(arrived=AT - 60_000), AT) == (AT - 60_000, 0)
    assert check_plausible(issue(due=AT - HOUR), AT) == (0, AT - HOUR)


#      24 h before                    time   5 s
#  ----[==============================|======]-----   arrived: what lies in the last 5 s becomes `time`
@pytest.mark.parametrize(
    ("arrived", "counted"),
    [(AT - DAY, AT - DAY), (AT - 1, AT - 1), (AT, AT), (AT + 1, AT), (AT + 5_000, AT)],
)
def test_a_door_time_from_a_day_before_to_five_seconds_after_counts(arrived: int, counted: int) -> None:
    assert check_plausible(issue(arrived=arrived), AT) == (counted, 0)


@pytest.mark.parametrize("arrived", [AT - DAY - 1, AT + 5_001, AT + DAY, AT - 400 * DAY])
def test_any_other_door_time_is_implausible(arrived: int) -> None:
    assert refused(issue(arrived=arrived)).reason is Reason.IMPLAUSIBLE_TIME


@pytest.mark.parametrize("due", [AT - 7 * DAY, AT, AT + 7 * DAY])
def test_an_appointment_up_to_seven_days_away_counts(due: int) -> None:
    assert check_plausible(issue(due=due), AT) == (0, due)


@pytest.mark.parametrize("due", [AT - 7 * DAY - 1, AT + 7 * DAY + 1])
def test_an_appointment_farther_away_is_implausible(due: int) -> None:
    assert refused(issue(due=due)).reason is Reason.IMPLAUSIBLE_TIME


def test_a_bad_instant_is_named_before_an_implausible_one() -> None:
    found = refused(issue(arrived=AT + DAY, due="2026-11-31T10:00:00Z"))
    assert found.reason is Reason.BAD_TIME
    assert found.detail == 'ticket.issued: due "2026-11-31T10:00:00Z" does not exist; send a date and a time that do'


def test_a_bad_instant_is_named_before_a_naive_one() -> None:
    found = refused(issue(arrived="2026-11-31T10:00:00Z", due="2026-11-23T10:00:00"))
    assert found.reason is Reason.BAD_TIME
    assert found.detail.startswith("ticket.issued: arrived ")


def test_a_refusal_names_the_attribute_both_values_and_the_remedy() -> None:
    assert refused(issue(arrived=AT + 5_001)).detail == (
        'ticket.issued: arrived "2026-11-23T08:14:08.121Z" is not within 24 h before and 5 s after '
        'time "2026-11-23T09:14:03.120+01:00"; leave it out'
    )
    assert "due" in refused(issue(due=AT + 8 * DAY)).detail


@given(st.integers(-2 * DAY, 2 * DAY), st.integers(-8 * DAY, 8 * DAY))
def test_what_is_accepted_never_lies_after_the_issue_nor_out_of_bounds(arrived: int, due: int) -> None:
    plausible = -DAY <= arrived <= 5_000 and abs(due) <= 7 * DAY
    event = issue(arrived=AT + arrived, due=AT + due)
    if plausible:
        assert check_plausible(event, AT) == (min(AT + arrived, AT), AT + due)
    else:
        assert refused(event).reason is Reason.IMPLAUSIBLE_TIME
