"""No message without English, and the switch works."""

import re

from flask.testing import FlaskClient

from webui import languages


def test_no_gaps() -> None:
    assert languages.gaps() == {}


def test_sources_are_really_read() -> None:
    found = languages.messages_in_sources()
    assert "账号或密码不正确。" in found
    assert "请使用本单位分配的账号" in found


def test_placeholders_survive_translation() -> None:
    for message in languages.join_catalogues():
        if isinstance(message.id, str) and message.id and isinstance(message.string, str):
            assert set(re.findall(r"%\(\w+\)s", message.id)) == set(re.findall(r"%\(\w+\)s", message.string)), message.id


def test_switch(client: FlaskClient) -> None:
    assert 'lang="zh-CN"' in client.get("/login").get_data(as_text=True)
    answer = client.post("/language", data={"language": "en", "next": "/login"})
    assert answer.headers["Location"] == "/login"
    page = client.get("/login").get_data(as_text=True)
    assert 'lang="en"' in page
    assert "请使用本单位分配的账号" not in page
    client.post("/language", data={"language": "xx"})
    assert 'lang="en"' in client.get("/login").get_data(as_text=True)
