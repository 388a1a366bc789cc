"""The proxy's logs: who rang, what was looked for and which link somebody holds stand in addresses, and must not be kept."""

import re

from core.settings import PROJECT_DIR

CONFIGURATION = re.sub(r"#.*", "", (PROJECT_DIR / "deploy/proxy/nginx.conf").read_text())


def test_every_server_logs_paths_alone() -> None:
    servers = CONFIGURATION.split("\nserver {")[1:]
    assert len(servers) == 2
    for server in servers:
        assert re.findall(r"access_log .*;", server) == ["access_log /var/log/nginx/access.log tingjian;"]
        assert re.findall(r"error_log .*;", server) == ["error_log  /var/log/nginx/error.log crit;"]


def test_the_format_knows_no_arguments() -> None:
    (form,) = re.findall(r"log_format tingjian (.*?);", CONFIGURATION, re.DOTALL)
    used = set(re.findall(r"\$(\w+)", form))
    assert "tingjian_path" in used
    assert not used & {"request", "request_uri", "uri", "args", "query_string", "http_referer"}
    (path,) = re.findall(r"map \$uri \$tingjian_path \{(.*?)\}", CONFIGURATION, re.DOTALL)
    assert path.split() == ["~^/s/", "/s/-;", "default", "$uri;"]
