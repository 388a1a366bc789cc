"""Finds an agent by the number that programs and people know."""

from telephony.board import AgentView
from telephony.seats import UnknownAgentError
from webui.house import board_reads


def agent_of_number(number: str) -> AgentView:
    """Return the active agent of a number.

    Raises:
        UnknownAgentError: nobody has it.
    """
    for view in board_reads().agents():
        if view.number == number:
            return view
    raise UnknownAgentError(number)
