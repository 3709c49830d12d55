"""Which stages run next, and which share a call."""

from pipeline.workflow.plan import Plan, needed_for, stale_stages


def plan(waits_for: dict[str, set[str]], **seconds: float) -> Plan:
    return Plan(waits_for, {stage: seconds.get(stage, 1.0) for stage in waits_for})


def test_only_stages_whose_predecessors_are_done_are_ready() -> None:
    found = plan({"a": set(), "b": {"a"}, "c": {"a", "b"}})
    assert found.ready(set(), set()) == ["a"]
    assert found.ready({"a"}, {"a"}) == ["b"]
    assert found.ready({"a", "b"}, {"a", "b"}) == ["c"]


def test_the_longest_chain_of_work_starts_first() -> None:
    # 'short' alone takes longer than 'first', but 'first' holds up 'long'.
    found = plan({"short": set(), "first": set(), "long": {"first"}}, short=5, first=1, long=10)
    assert found.ready(set(), set()) == ["first", "short"]


def test_a_stage_shares_a_call_with_the_one_that_it_alone_lets_start() -> None:
    found = plan({"train": set(), "evaluate": {"train"}, "other": set(),
                  "board": {"train", "evaluate", "other"}, "report": {"board"}})
    assert found.chain("train", set(), {"train", "other"}) == ["train", "evaluate"]
    assert found.chain("train", {"other"}, {"train", "other"}) == [
        "train", "evaluate", "board", "report"]


def test_a_stage_does_not_take_along_what_could_start_without_it() -> None:
    found = plan({"a": set(), "b": set(), "c": {"b"}})
    assert found.chain("a", set(), set()) == ["a"]


def test_a_stage_that_lets_several_start_is_called_alone() -> None:
    found = plan({"features": set(), "a": {"features"}, "b": {"features"}})
    assert found.chain("features", set(), {"features"}) == ["features"]


def test_short_stages_share_a_call_as_long_as_others_have_work() -> None:
    found = plan({"a": set(), "a-then": {"a"}, "b": set(), "c": set(), "d": set()})
    assert found.call("a", set(), {"a"}, 1) == ["a", "a-then", "b", "c"]
    assert found.call("a", set(), {"a"}, 2) == ["a", "a-then", "b"]


def test_a_long_stage_has_a_call_of_its_own() -> None:
    found = plan({"long": set(), "a": set(), "b": set(), "c": set()}, long=100.0)
    assert found.call("long", set(), {"long"}, 1) == ["long"]
    assert found.call("a", set(), {"a"}, 1) == ["a"]


def test_a_stage_that_others_wait_for_does_not_wait_for_more() -> None:
    found = plan({"features": set(), "x": {"features"}, "y": {"features"}, "a": set(), "b": set()})
    assert found.call("features", set(), {"features"}, 1) == ["features"]


def test_seconds_of_a_chain_are_those_of_its_longest_way() -> None:
    found = plan({"a": set(), "b": {"a"}, "c": {"a"}}, a=1, b=10, c=2)
    assert found.chain_seconds("a") == found.expected(["a", "b"])


def test_what_waits_for_a_changed_stage_is_stale() -> None:
    needs = {"a": set(), "b": {"a"}, "c": {"b"}, "d": set()}
    assert stale_stages(needs, {"b"}) == {"b", "c"}
    assert stale_stages(needs, set()) == set()


def test_a_target_needs_all_before_it_and_nothing_else() -> None:
    needs = {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"a"}}
    assert needed_for(needs, ["c"]) == {"a", "b", "c"}
