"""A store that speaks S3: VersityGW over a folder."""

import socket
import subprocess
import time
from pathlib import Path

from local import toolchain

BUCKET = "backups"
_DEADLINE_SECONDS = 60.0


class S3:
    """A server with one empty bucket.

    Args:
        folder: for its data; made.
        address: where it listens.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        toolchain.ensure(["versitygw"])
        self.bucket = folder / "data" / BUCKET
        self.bucket.mkdir(parents=True)
        (folder / "sidecar").mkdir()
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        account = {"ROOT_ACCESS_KEY_ID": "of-the-tests", "ROOT_SECRET_ACCESS_KEY": "a secret of the tests"}
        # Not every file system of a machine that runs tests has extended attributes.
        backend = ["posix", "--sidecar", str(folder / "sidecar"), str(folder / "data")]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(toolchain.folder("versitygw") / "bin" / "versitygw"),
                    *("--quiet", "--port", f"{address}:{port}"),
                    *backend,
                ],
                env=account,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            try:
                socket.create_connection((address, port), 1).close()
                break
            except OSError:
                assert self._process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.05)
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{address}:{port}",
            "AWS_ACCESS_KEY_ID": account["ROOT_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": account["ROOT_SECRET_ACCESS_KEY"],
            "AWS_REGION": "us-east-1",
        }
        """What its clients need to know."""

    @property
    def backend(self) -> str:
        """The address of the bucket for Pulumi."""
        return f"s3://{BUCKET}?endpoint={self.environment['AWS_ENDPOINT_URL']}&s3ForcePathStyle=true&region=us-east-1"

    def stop(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait(_DEADLINE_SECONDS)
