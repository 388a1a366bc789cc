#!/usr/bin/env python3
"""Starts each process and each command of the program."""

import sys

import click
import structlog

from commands import calendar, calls, cases, demo, knowledge, people, processes
from core.errors import TingjianError
from launcher.running import adopt_environment

_NEEDS_NO_RUNNING_PROGRAM = {"prepare", "up", "demo"}


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    """Tingjian 听见: hotline contact centre and knowledge base."""
    # Standard output is for what was asked; a process sets up its own log.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if context.invoked_subcommand not in _NEEDS_NO_RUNNING_PROGRAM:
        adopt_environment()


for command in (
    processes.prepare, processes.up, demo.demo, processes.web, processes.bridge, processes.dispatcher, processes.worker,
    processes.dialer, processes.ivr, calendar.calendar, processes.db, processes.asterisk, calls.call, calls.citizen,
    calls.transcribe, knowledge.search, knowledge.article, cases.case, people.user, people.token,
):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """Run one command; an expected error is one sentence, not a traceback."""
    try:
        cli()
    except TingjianError as error:
        click.echo(f"错误：{error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
