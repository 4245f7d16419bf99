"""What has to be done at a broker: a pure comparison."""

from hypothesis import given
from hypothesis import strategies as st

from attente.broker.grants import Found, Grant, Network, Resource, difference

NETWORK = Network("attente.", "attente", (("nation", "hall-1"), ("thiers", "hall-1")))
NATION = "attente.kiosk/nation/hall-1"
WANTED = frozenset(grant for principal in NETWORK.principals() for grant in principal.grants)


def topic(principal: str, name: str, operation: str) -> Grant:
    return Grant(principal, Resource.TOPIC, name, operation)


def test_a_kiosk_may_write_and_describe_the_events_and_nothing_else() -> None:
    (nation,) = (one for one in NETWORK.principals() if one.name == NATION)

    assert {str(grant) for grant in nation.grants} == {"write topic attente.events", "describe topic attente.events"}


def test_ids_with_dots_make_no_two_kiosks_one() -> None:
    network = Network("attente.", "attente", (("a.b", "c"), ("a", "b.c"), ("a-b", "c")))

    assert len({one.name for one in network.principals()}) == len({one.file for one in network.principals()}) == 6


def test_at_an_empty_broker_everything_is_missing() -> None:
    found = difference(NETWORK, Found(frozenset()))

    assert set(found.missing) == WANTED
    assert (found.surplus, found.gone, found.unknown, found.kept) == ((), (), (), 0)
    assert len(found.without) == 5


def test_where_all_is_as_it_must_be_nothing_is_done() -> None:
    found = difference(NETWORK, Found(WANTED))

    assert found.is_settled
    assert found.kept == len(WANTED)


def test_a_kiosk_that_has_left_the_registry_loses_its_rights_and_its_password() -> None:
    gone = "attente.kiosk/lille/hall-1"
    write = topic(gone, "attente.events", "write")

    found = difference(NETWORK, Found(WANTED | {write}, users=frozenset({gone, NATION})))

    assert (found.surplus, found.gone, found.missing) == ((write,), (gone,), ())


def test_a_right_that_was_added_to_a_kiosk_by_hand_is_surplus() -> None:
    read = topic(NATION, "attente.events", "read")

    assert difference(NETWORK, Found(WANTED | {read})).surplus == (read,)


def test_rules_about_others_are_shown_and_left_alone() -> None:
    theirs = {
        topic("payroll", "attente.events", "read"),
        topic("attente.auditor", "attente.events", "read"),
        topic("other.kiosk/nation/hall-1", "other.events", "write"),
        topic("attente.kiosk/nation/hall-1/x", "attente.events", "write"),
    }

    found = difference(NETWORK, Found(WANTED | theirs, ("x may not write topic y",), frozenset({"payroll"})))

    assert found.is_settled
    assert len(found.unknown) == len(theirs) + 1
    assert "payroll may read topic attente.events" in found.unknown
    assert found.unknown[-1] == "x may not write topic y"


def test_the_names_of_another_network_are_its_own() -> None:
    other = Network("x.", "x", (("nation", "hall-1"),))

    assert not any(NETWORK.owns(one.name) for one in other.principals())
    assert all(other.owns(one.name) for one in other.principals())


ANY_GRANT = st.builds(
    Grant,
    st.sampled_from([NATION, "attente.worker", "attente.kiosk/lille/hall-1", "payroll", "attente.auditor"]),
    st.sampled_from(Resource),
    st.sampled_from(["attente.events", "attente.checkpoints", "attente", "x"]),
    st.sampled_from(["read", "write", "describe", "alter"]),
    st.booleans(),
)


@given(st.frozensets(st.one_of(ANY_GRANT, st.sampled_from(sorted(WANTED)))))
def test_after_all_is_done_nothing_is_left_to_do_and_nothing_of_others_has_changed(grants: frozenset[Grant]) -> None:
    found = difference(NETWORK, Found(grants))
    after = (grants - set(found.surplus)) | set(found.missing)

    assert difference(NETWORK, Found(after)).is_settled
    assert {grant for grant in after if not NETWORK.owns(grant.principal)} == {
        grant for grant in grants if not NETWORK.owns(grant.principal)
    }
    assert {grant for grant in after if NETWORK.owns(grant.principal)} == WANTED
