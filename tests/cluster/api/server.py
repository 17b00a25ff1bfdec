"""A real control plane on loopback: etcd, API server, controllers and scheduler, each a process of one binary."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.ports import LOOPBACK, free_port
from sandbox.process import Process

READY_SECONDS: Final = 120
_KUBECONFIG: Final = """\
apiVersion: v1
kind: Config
clusters: [{{name: own, cluster: {{server: "{url}", certificate-authority: "{authority}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: own, context: {{cluster: own, user: admin}}}}]
current-context: own
"""


class ControlPlane:
    """The four processes and their files in `directory`; every port is a free one, so that two runs do not meet."""

    def __init__(self, *, binary: Path, directory: Path) -> None:
        self._binary = binary
        self._directory = directory
        self._token = secrets.token_hex(16)
        self._etcd_url = f"http://{LOOPBACK}:{free_port()}"
        self._port = free_port()
        self.kubeconfig = directory / "kubeconfig"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start in order and stop in reverse, however the block ends. Raises ProcessDied."""
        async with AsyncExitStack() as stack:
            self._write_files()
            await self._started(stack, "etcd", self._etcd(), ready=f"{self._etcd_url}/health")
            server = await self._started(stack, "kube-apiserver", self._api_server())
            await server.until(self._is_ready, within=READY_SECONDS)
            self._write_kubeconfig()
            await self._started(stack, "kube-controller-manager", self._controllers())
            await self._started(stack, "kube-scheduler", self._scheduler())
            yield

    async def _started(
        self, stack: AsyncExitStack, name: str, arguments: Sequence[str], *, ready: str | None = None
    ) -> Process:
        log = self._directory / f"{name}.log"
        process = Process(name, [self._binary, name, *arguments], log=log, cwd=self._directory)
        process.start()
        stack.push_async_callback(process.stop)
        if ready:
            await process.until(lambda: _answers(ready), within=READY_SECONDS)
        return process

    def _write_files(self) -> None:
        """Write what the API server signs with and knows its administrator by; the folder is readable by us alone."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        (self._directory / "tokens.csv").write_text(f'{self._token},admin,1,"system:masters"\n')
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        (self._directory / "accounts.key").write_bytes(pem)

    def _write_kubeconfig(self) -> None:
        url, authority = f"https://{LOOPBACK}:{self._port}", self._directory / "certs" / "apiserver.crt"
        self.kubeconfig.write_text(_KUBECONFIG.format(url=url, authority=authority, token=self._token))

    def _etcd(self) -> list[str]:
        peer = f"http://{LOOPBACK}:{free_port()}"
        return [
            *("--data-dir=etcd", "--unsafe-no-fsync", "--log-level=warn"),
            *(f"--listen-client-urls={self._etcd_url}", f"--advertise-client-urls={self._etcd_url}"),
            *(
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            ),
        ]

    def _api_server(self) -> list[str]:
        return [
            *(f"--etcd-servers={self._etcd_url}", "--endpoint-reconciler-type=none", "--cert-dir=certs"),
            *(f"--bind-address={LOOPBACK}", f"--advertise-address={LOOPBACK}", f"--secure-port={self._port}"),
            *("--token-auth-file=tokens.csv", "--authorization-mode=RBAC", "--allow-privileged=true"),
            *("--service-cluster-ip-range=10.96.0.0/20", "--service-account-issuer=https://kubernetes.default.svc"),
            *("--service-account-key-file=accounts.key", "--service-account-signing-key-file=accounts.key"),
        ]

    def _controllers(self) -> list[str]:
        return [*self._client("controllers"), "--service-account-private-key-file=accounts.key"]

    def _scheduler(self) -> list[str]:
        return self._client("scheduler")

    def _client(self, name: str) -> list[str]:
        port = f"--secure-port={free_port()}"
        return [
            "--kubeconfig=kubeconfig",
            "--leader-elect=false",
            f"--bind-address={LOOPBACK}",
            port,
            f"--cert-dir={name}",
        ]

    async def _is_ready(self) -> bool:
        return await _answers(f"https://{LOOPBACK}:{self._port}/readyz", token=self._token)


async def _answers(url: str, *, token: str | None = None) -> bool:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5, verify=False) as client:
            return (await client.get(url, headers=headers)).is_success
    except httpx.TransportError:
        return False
