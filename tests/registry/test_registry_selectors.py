import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.registry.load import parse
from registry.registry_files import complaint

REGIONS = ("Paris", "Île de France", "Grand-Est (67, 68)")
SIZES = ("", "small", "large")
SERVICES = ("accueil", "logement", "rdv")
OFFICES = {f"o{n}": (REGIONS[n % 3], SIZES[n % 5 % 3]) for n in range(9)}
"""Region and size of each office; some have no size."""


def network(offices: str = '"*"', services: str = '"*"') -> str:
    places = "".join(
        f"  - {{id: {office}, name: N, region: '{region}', zone: UTC{f', size: {size}' if size else ''}}}\n"
        for office, (region, size) in OFFICES.items()
    )
    queues = "".join(f"  - {{id: {service}, title: T}}\n" for service in SERVICES)
    return (
        f"network: x\nservices:\n{queues}offices:\n{places}"
        f"norms:\n  - id: n\n    title: T\n    threshold: 20m\n    target: 0.9\n"
        f"    offices: {offices}\n    services: {services}\n"
    )


def selected(offices: str) -> set[str]:
    return set(parse(network(offices), "x").norms["n"].offices)


def services(selection: str) -> set[str]:
    return set(parse(network(services=selection), "x").norms["n"].services)


def office_ids(word: str) -> set[str]:
    """What one word means, the slow way."""
    kind, _, value = word.partition(":")
    if kind == "not":
        return set(OFFICES) - office_ids(value)
    if kind == "region":
        return {office for office, (region, _) in OFFICES.items() if region == value}
    if kind == "size":
        return {office for office, (_, size) in OFFICES.items() if size == value}
    return set(OFFICES) if word == "*" else {word}


ADDED = st.sampled_from([*OFFICES, *(f"region:{region}" for region in REGIONS), "size:small", "size:large"])
WORDS = st.lists(st.one_of(ADDED, ADDED.map("not:{}".format)), min_size=1, max_size=6, unique=True)


@settings(max_examples=150, deadline=None)
@given(WORDS)
def test_a_selection_is_what_it_names_less_what_it_excludes(words: list[str]) -> None:
    named = [word for word in words if not word.startswith("not:")]
    expected = {
        office
        for office in OFFICES
        if (not named or any(office in office_ids(word) for word in named))
        and all(office in office_ids(word) for word in words if word.startswith("not:"))
    }
    text = f"[{', '.join(f'{word!r}' for word in words)}]"
    if expected:
        assert selected(text) == expected
    else:
        assert "selects none of the offices here" in complaint(network(f"▸{text}"))


@pytest.mark.parametrize(
    "written",
    [
        "[region:Île de France]",
        "['region:Île de France']",
        "region:Île de France",
        '"region:Île de France"',
        "\n      - region:Île de France",
    ],
)
def test_a_region_with_spaces_needs_no_quotes_and_no_list(written: str) -> None:
    assert selected(written) == {"o1", "o4", "o7"}


def test_a_single_word_needs_no_list() -> None:
    assert selected("o3") == {"o3"}
    assert selected("size:large") == office_ids("size:large")
    assert selected("not:o3") == set(OFFICES) - {"o3"}
    assert services("logement") == {"logement"}


def test_all_can_be_said_before_what_is_excluded() -> None:
    assert selected('["*", not:region:Paris]') == selected("[not:region:Paris]") == set(OFFICES) - {"o0", "o3", "o6"}


def test_services_are_selected_by_id_and_exclusion() -> None:
    assert services("[not:rdv]") == {"accueil", "logement", "other"}
    assert services("[not:rdv, not:other]") == {"accueil", "logement"}
    assert services("[accueil, rdv, not:rdv]") == {"accueil"}


def test_what_a_selection_stands_for_decides_the_hash_and_not_its_words() -> None:
    hashes = {
        parse(network(words), "x").hash
        for words in (
            "region:Paris",
            "[o0, o3, o6]",
            "[o6, o0, o3]",
            "[not:region:Île de France, not:o2, not:o5, not:o8]",
        )
    }
    assert len(hashes) == 1
    assert parse(network("region:Île de France"), "x").hash not in hashes


OFFICE_REFUSALS = [
    ("[▸o1x]", "norm n: offices: o1x is not known; did you mean o1?"),
    ("▸o1x", "norm n: offices: o1x is not known; did you mean o1?"),
    ("[▸not:o1x]", "norm n: offices: o1x is not known; did you mean o1?"),
    ("[o1, ▸region:Pari]", "norm n: offices: region Pari is not known; did you mean Paris?"),
    (
        "[not:size:small, ▸not:size:huge]",
        "norm n: offices: size huge is not known; the sizes here are small, large",
    ),
    ("[▸regio:Paris]", "norm n: offices: regio:Paris begins with regio, which means nothing; did you mean region?"),
    (
        "[▸zone:UTC]",
        "norm n: offices: zone:UTC begins with zone, which means nothing; the words before a colon in offices are",
    ),
    ("[▸Paris]", "norm n: offices: Paris is the name of a region; write region:Paris"),
    ("[▸large]", "norm n: offices: large is the name of a size; write size:large"),
    ("[▸not:not:o1]", "norm n: offices: not:not:o1 excludes twice; write o1"),
    (
        "[▸region: Paris]",
        "norm n: offices: 'region: Paris' is a mapping; write region:Paris without the space",
    ),
    ("[o1, ▸o1]", "norm n: offices: o1 is listed twice; keep one of them"),
    ('[o1, ▸"*"]', 'norm n: offices: "*" stands for all, o1 included; leave one of them out'),
    (
        "▸[o1, not:o1]",
        "norm n: offices: 'o1, not:o1' selects none of the offices here; name others or exclude fewer",
    ),
    ("▸not:*", "norm n: offices: not:* selects none of the offices here; name others or exclude fewer"),
    ("▸[]", "norm n: offices is empty; write"),
    ("[▸[o1]]", "norm n: offices is a list, but must be a single value; write"),
    ('[▸"region:"]', "norm n: offices: region '' is not known; the regions here are Paris"),
]


@pytest.mark.parametrize(("written", "message"), OFFICE_REFUSALS, ids=[written for written, _ in OFFICE_REFUSALS])
def test_a_selection_that_means_nothing_is_refused_at_its_word_with_a_remedy(written: str, message: str) -> None:
    assert complaint(network(written)).startswith(message)


def test_services_have_no_regions() -> None:
    assert complaint(network(services="[▸region:Paris]")) == (
        "norm n: services: region:Paris begins with region, which means nothing; "
        "the words before a colon in services are not"
    )


def test_services_that_are_all_excluded_are_refused() -> None:
    everything = ", ".join(f"not:{service}" for service in (*SERVICES, "other"))
    assert complaint(network(services=f"▸[{everything}]")) == (
        "norm n: services: 'not:accueil, not:logement, not:rdv, not:other' selects none of the services here; "
        "name others or exclude fewer"
    )


def test_a_size_is_asked_for_where_no_office_has_one() -> None:
    text = network("[▸size:large]").replace(", size: large", "").replace(", size: small", "")
    assert complaint(text) == (
        "norm n: offices: size:large is not known: no office has a size; add size: large where it applies"
    )


def test_selectors_over_offices_that_cannot_be_read_are_no_problems_of_their_own() -> None:
    text = network("[region:Nowhere, o77]").replace("{id: o1,", "{id: ▸O1,")
    assert complaint(text).startswith("office O1: id O1 is no id")
