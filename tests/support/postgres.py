"""A real PostgreSQL server on a free port, in a folder of its own, with fsync on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

from tests.support import peers, processes


class PostgresServer:
    """One server; `new_database` gives each test an empty database of its own."""

    def __init__(self) -> None:
        """Starts it and waits until it answers. Raises MissingPeer."""
        self._programs = peers.postgres_programs()
        self.port = processes.free_port()
        self.home = Path(tempfile.mkdtemp(prefix="fileroom-postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.home, self._user, self._user)
        self._create()
        self.process = self._start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _create(self) -> None:
        drop = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if self._user else []
        initdb = [
            str(self._programs / "initdb"),
            "-D",
            str(self.home / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run(
            [*drop, *initdb, "--locale=C.UTF-8", "--no-sync"], check=True, capture_output=True, cwd="/", timeout=120
        )

    def _start(self) -> processes.Process:
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.home}
        arguments = [piece for name, value in settings.items() for piece in ("-c", f"{name}={value}")]
        process = processes.start(
            [self._programs / "postgres", "-D", self.home / "data", *arguments],
            self.home / "log" if not self._user else Path(tempfile.gettempdir()) / f"{self.home.name}.log",
            user=self._user,
            stop_signal=signal.SIGINT,
            death_signal="QUIT",
        )
        process.wait_until(self.answers)
        return process

    def answers(self) -> bool:
        """Whether it takes a connection and answers a query."""
        try:
            self.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement.encode())

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f'create database "{name}" template template0')
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Ends its connections and removes it."""
        self.execute(f'drop database if exists "{url.rpartition("/")[2]}" with (force)')

    def kill(self) -> None:
        """Every server process at once, as a power cut would."""
        self.process.kill()

    def restart(self) -> None:
        """Stops it if it runs, starts it on the same port and data."""
        self.process.stop()
        self.process = self._start()

    def close(self) -> None:
        self.process.stop()
        self.process.log.unlink(missing_ok=True)
        shutil.rmtree(self.home, ignore_errors=True)
