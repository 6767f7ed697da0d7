"""How Streamlit is started: every option of the server and of the theme stands here.

Options travel as command-line flags, so that neither the folder in which somebody types
``skinscan demo`` nor a configuration of theirs changes what is served, and to whom.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skinscan.ui.theme import THEME_OPTIONS

#: Largest upload, MB: the same as `skinscan.photo.PhotoLimits.max_bytes`.
MAX_UPLOAD_MB: Final = 25

#: The only address served: plain HTTP does not leave the machine.
LOOPBACK: Final = "127.0.0.1"

#: Names in the address bar that are answered (against DNS rebinding).
_HOSTS: Final = ("localhost", LOOPBACK, "[::1]", "::1")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where and how the app is served.

    Attributes
    ----------
    port : int
    address : str
        Of the network that is listened on; by default only this machine's own.
    hosts : tuple of str
        Names by which browsers may reach it, besides this machine's own.
    cert, key : Path or None
        Certificate and its key, for HTTPS.
    """

    port: int
    address: str = LOOPBACK
    hosts: tuple[str, ...] = ()
    cert: Path | None = None
    key: Path | None = None

    @property
    def url(self) -> str:
        """Address for the browser."""
        scheme = "http" if self.cert is None else "https"
        return f"{scheme}://{self.hosts[0] if self.hosts else LOOPBACK}:{self.port}"


def streamlit_arguments(serving: Serving) -> list[str]:
    """Return the flags for ``python -m streamlit run app.py``.

    Parameters
    ----------
    serving : Serving

    Returns
    -------
    list of str
        Flags of the form ``--section.option=value``, to follow the script's path.
    """
    options = {
        "server.address": serving.address,
        "server.port": str(serving.port),
        "server.headless": "true",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.maxUploadSize": str(MAX_UPLOAD_MB),
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        "server.enableStaticServing": "false",
        "server.showEmailPrompt": "false",
        "server.disconnectedSessionTTL": "60",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": serving.hosts[0] if serving.hosts else LOOPBACK,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "client.toolbarMode": "minimal",
        "client.showSidebarNavigation": "false",
        "logger.level": "warning",
        **{f"theme.{name}": value for name, value in THEME_OPTIONS.items()},
    }
    if serving.cert is not None and serving.key is not None:
        options |= {"server.sslCertFile": str(serving.cert), "server.sslKeyFile": str(serving.key)}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [*flags, *(f"--server.allowedHosts={host}" for host in (*_HOSTS, *serving.hosts))]


def script_path() -> Path:
    """Return the script that Streamlit runs for every interaction."""
    return Path(__file__).with_name("script.py")


def keep_import_path() -> None:
    """Keep the list of import folders as it is while threads import.

    Streamlit puts the script's folder in front of that list for each run of the script, and takes
    it away after it. An import in another thread that goes through the list just then skips a
    folder: of a photo that was measured meanwhile it said that there is no mediapipe. A folder that
    is in the list already is left alone.
    """
    for folder in (script_path().parent, script_path().resolve().parent):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def keep_uploads_in_memory() -> None:
    """Stop the upload parser from writing photos to a temporary file.

    Streamlit parses uploads with Starlette's form parser, which moves any part above 1 MB
    into a file under the temporary folder. With the limit above the largest upload, a photo
    stays in memory.
    """
    from starlette.formparsers import MultiPartParser  # noqa: PLC0415 - heavy, page only

    MultiPartParser.spool_max_size = (MAX_UPLOAD_MB + 1) * 2**20
