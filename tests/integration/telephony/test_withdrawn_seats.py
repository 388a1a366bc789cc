"""What the exchange does with the telephone of a seat whose person has gone."""

from sqlalchemy import select

from telephony.models import Agent
from tests.asterisk_server import Program
from tests.integration.telephony.conftest import Hotline, eventually


def password_of(hotline: Hotline, number: str) -> str:
    with hotline.database.transaction() as session:
        return session.scalars(select(Agent.sip_password).where(Agent.number == number)).one()


def test_a_withdrawn_telephone_is_nobodys_until_the_seat_is_in_use_again(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8071")
    password = password_of(hotline, "8071")
    hotline.service.withdraw_agent(agent_id)
    assert hotline.state(agent_id) == "offline"
    citizen = hotline.ring(stay_seconds=60)
    eventually(lambda: hotline.calls() and hotline.only_call().queued_at)
    stranger = Program("-m", "tests.agent_phone", "--", "8071", password, hotline.server.sip)
    hotline.programs.append(stranger)
    assert stranger.wait_for("register_failed")
    assert hotline.only_call().state == "queued"
    assert hotline.legs() == []
    phone.close()
    hotline.service.save_agent("8071", "坐席8071", ("consult",))
    assert password_of(hotline, "8071") != password
    _, phone = hotline.seat("8071")
    phone.wait_for("ringing")
    citizen.close()
