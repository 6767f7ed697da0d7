"""Stores that speak like Google's and Azure's, on loopback."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile

from made_cluster import free_port, listens, wait_for

# The account that Azurite documents for everybody; it opens nothing else.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextlib.contextmanager
def running_google():
    """Yield the environment in which gcsfs finds an empty store."""
    from gcp_storage_emulator.server import create_server

    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True)
    server.start()
    try:
        yield {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
            # It would look for credentials, on the network too, to learn a bucket's kind.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
            "NO_GCE_CHECK": "true",
        }
    finally:
        server.stop()


@contextlib.contextmanager
def running_azure():
    """Yield the environment in which adlfs finds an empty store."""
    port = free_port()
    address = ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    quiet = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    with tempfile.TemporaryDirectory() as scratch:
        server = subprocess.Popen(
            [shutil.which("azurite-blob"), *address, *quiet],
            cwd=scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: listens(port))
            yield {
                "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;"
                f"AccountName={_ACCOUNT};AccountKey={_KEY};"
                f"BlobEndpoint=http://127.0.0.1:{port}/{_ACCOUNT};"
            }
        finally:
            server.terminate()
            server.wait()
