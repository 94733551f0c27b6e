"""A real nginx for one test: a child in the foreground, with everything it writes in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from proxies.processes import child, free_port, wait_until_it_listens

# "default": proxy_cache as it comes; "ignoring": it also stores answers that set cookies.
Cache = Literal["default", "ignoring"]

_CONFIG = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
{servers}}}
"""
_SERVER = """\
{zone}  server {{
    listen 127.0.0.1:{port}{ssl};
{certificate}    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
{cache}      add_header X-Cache $upstream_cache_status always;
    }}
  }}
"""
_ZONE = "  proxy_cache_path {folder}/cache{port} keys_zone=zone{port}:8m use_temp_path=off;\n"
_ATTEMPTS = 3  # somebody else may take a free port before nginx does


@dataclass(frozen=True)
class Front:
    """One address of nginx, in front of one upstream on 127.0.0.1; buffers stay at their defaults.

    `tls` is the file with a key and its certificate. The cache's key and what it finds storable are
    nginx's own defaults too.
    """

    upstream: int
    cache: Cache | None = None
    tls: Path | None = None


def find_nginx() -> str | None:
    """Return the nginx that $NGINX names, or one where systems put it, or None."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return shutil.which(os.environ.get("NGINX", "nginx"), path=folders)


def require_nginx() -> str:
    """Return the nginx of this machine, or skip the test."""
    executable = find_nginx()
    if executable is None:
        pytest.skip("no nginx on the search path and none named in $NGINX")
    return executable


@contextmanager
def running(*fronts: Front) -> Iterator[list[int]]:
    """Run nginx, yield the port of each front, and end it with all of its workers."""
    executable = require_nginx()
    with tempfile.TemporaryDirectory(prefix="consentgate-nginx-", ignore_cleanup_errors=True) as at:
        folder = Path(at)
        log = folder / "error.log"
        config = folder / "nginx.conf"
        for attempt in range(1, _ATTEMPTS + 1):
            ports = [free_port() for _ in fronts]
            config.write_text(_configured(folder, dict(zip(ports, fronts, strict=True))))
            _check(executable, config, log)
            command = [executable, "-e", str(log), "-p", at, "-c", str(config)]
            with child(command, folder / "output.log") as process:
                try:
                    for port in ports:
                        wait_until_it_listens(process, port, log)
                except RuntimeError:
                    if attempt == _ATTEMPTS or "Address already in use" not in log.read_text():
                        raise
                    log.unlink()
                    continue
                yield ports
                return


def _check(executable: str, config: Path, log: Path) -> None:
    """Let nginx read its configuration, so that a mistake in it is what the test reports."""
    done = subprocess.run(
        [executable, "-t", "-q", "-e", str(log), "-p", str(config.parent), "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"nginx refuses its configuration:\n{done.stderr}{log.read_text()}")


def _configured(folder: Path, fronts: dict[int, Front]) -> str:
    servers = "".join(_server(folder, port, front) for port, front in fronts.items())
    # Workers of root's nginx would else be nobody, who may not enter root's folders.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return _CONFIG.format(user=user, folder=folder, servers=servers)


def _server(folder: Path, port: int, front: Front) -> str:
    certificate = zone = cache = ""
    if front.tls:
        certificate = f"    ssl_certificate {front.tls};\n    ssl_certificate_key {front.tls};\n"
    if front.cache:
        zone = _ZONE.format(folder=folder, port=port)
        cache = f"      proxy_cache zone{port};\n"
    if front.cache == "ignoring":
        cache += "      proxy_ignore_headers Set-Cookie;\n"
    return _SERVER.format(
        zone=zone,
        port=port,
        ssl=" ssl" if front.tls else "",
        certificate=certificate,
        upstream=front.upstream,
        cache=cache,
    )
