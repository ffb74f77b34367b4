"""The models by which capacity is reckoned: what they say where the answer is known."""

from dataclasses import replace

import pytest

from tools.capacity import fleet
from tools.capacity.demand import Demand
from tools.capacity.queueing import machine, most_people

NONE_BESIDE = Demand(beside_cpu_s=0.0)
PLAN = fleet.Plan(servers=2, processors=2, places=20, people=16, seconds=300)


def test_one_person_waits_for_nobody():
    met = machine(Demand(), 1, 1)
    assert met.wait_s == pytest.approx(0.0, abs=1e-12)
    # Away for a cycle, then computing: that share of the time.
    demand = Demand()
    assert met.busy == pytest.approx(demand.turn_cpu_s / (demand.turn_cpu_s + demand.cycle_s))


def test_two_people_at_one_processor_wait_as_the_balance_equations_say():
    demand = Demand()
    away, service = demand.cycle_s, demand.turn_cpu_s
    ratio = service / away
    # p0 : p1 : p2 = 1 : 2r : 2r^2
    total = 1 + 2 * ratio + 2 * ratio**2
    present = (2 * ratio + 4 * ratio**2) / total
    rate = (2 * ratio + 2 * ratio**2) / total / service
    met = machine(demand, 2, 1)
    assert met.wait_s == pytest.approx(present / rate - service)


def test_more_processors_take_more_people_and_not_one_too_many():
    demand = Demand()
    counts = [most_people(demand, processors, 0.1) for processors in (1, 2, 4, 8)]
    assert counts == sorted(set(counts))
    for processors, people in zip((1, 2, 4, 8), counts, strict=True):
        assert machine(demand, people, processors).wait_s <= 0.1 < machine(demand, people + 1, processors).wait_s


async def test_a_fleet_that_is_not_full_refuses_nobody(autojump_clock):
    met = await fleet.run(PLAN, Demand())
    assert (met.refused, met.gave_up, met.resumed_s) == (0, 0, [])
    assert max(met.admissions_s) == 0
    assert min(met.gaps_s) >= Demand().window_s + Demand().model_s
    assert len(met.gaps_s) > 100
    assert met.most_people == PLAN.people


async def test_what_a_dead_server_held_goes_on_elsewhere_once_its_claims_are_over(autojump_clock):
    met = await fleet.run(replace(PLAN, kill_at_s=150), Demand())
    assert len(met.resumed_s) >= 6
    assert min(met.resumed_s) == pytest.approx(PLAN.claim_ttl_s)
    assert max(met.resumed_s) <= PLAN.claim_ttl_s + PLAN.check_s * PLAN.falls + 60


async def test_a_full_fleet_refuses_and_one_that_grows_lets_in_more(autojump_clock):
    crowd = replace(PLAN, people=60, seconds=400)
    full = await fleet.run(crowd, Demand())
    assert full.refused > 0
    assert full.most_people <= crowd.servers * crowd.places


async def test_a_fleet_that_may_grow_does_so_where_it_is_full(autojump_clock):
    met = await fleet.run(replace(PLAN, people=60, seconds=400, grows=True), Demand())
    assert met.most_servers > PLAN.servers
    assert met.most_people > PLAN.servers * PLAN.places


async def test_a_server_that_is_told_to_stop_takes_nobody_and_loses_nobody(autojump_clock):
    met = await fleet.run(replace(PLAN, stop_at_s=150), Demand())
    assert met.resumed_s == []
    assert met.gave_up == 0
