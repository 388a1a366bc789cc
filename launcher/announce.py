"""Tells the newcomer, and programs through `endpoints.json`, where everything is."""

import json

import click

from core.settings import Settings
from launcher.demonstration import Prepared
from launcher.secrets_file import write_private


def endpoints(settings: Settings, prepared: Prepared) -> dict[str, object]:
    """Return what a program needs to use this one."""
    number, queue = next(iter(settings.hotline_numbers.items()))
    return {
        "web": f"http://{settings.web_host}:{settings.web_port}",
        "api": f"http://{settings.web_host}:{settings.web_port}/api/v1",
        "api_token": prepared.api_tokens["supervisor"],
        "api_tokens": prepared.api_tokens,
        "wall": f"http://{settings.web_host}:{settings.web_port}{prepared.wall_path}",
        "sip": {"host": settings.sip_host, "port": settings.sip_port, "number": number, "queue": queue},
        "hotline_numbers": settings.hotline_numbers,
        "outbound_trunk": settings.outbound_trunk,
        "logins": [login.__dict__ for login in prepared.logins],
        "database_url": settings.database_url,
        "elasticsearch": {
            "url": settings.elasticsearch_url,
            "username": settings.elasticsearch_username,
            "password": settings.elasticsearch_password.get_secret_value(),
        },
        "logs": str(settings.state_dir / "logs"),
    }


def announce(settings: Settings, prepared: Prepared) -> None:
    """Write `endpoints.json` and print the addresses and the log-ins."""
    facts = endpoints(settings, prepared)
    write_private(settings.endpoints_file, json.dumps(facts, ensure_ascii=False, indent=1))
    numbers = "、".join(
        f"{number}（{settings.queue_titles.get(queue, queue)}）" for number, queue in settings.hotline_numbers.items()
    )
    click.echo(f"\n  网站      {facts['web']}")
    click.echo(f"  接口      {facts['api']}（说明：{facts['web']}/api/v1/docs）")
    click.echo(f"  大屏      {facts['wall']}")
    click.echo(f"  热线      sip:{settings.sip_host}:{settings.sip_port}　{numbers}")
    for login in prepared.logins:
        click.echo(f"  登录      {login.username:<10} {login.password:<14} {login.title}")
    click.echo(f"  日志      {settings.state_dir / 'logs'}")
    click.echo("  没有电话也能试：坐席登录并就绪后，在另一个终端运行 make call\n")
