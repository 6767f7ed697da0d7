"""How Streamlit is started: every option of the server and of the theme stands here.

Options travel as command-line flags, so that neither the folder in which somebody types
``skinscan demo`` nor a configuration of theirs changes what is served, and to whom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from skinscan.ui.theme import THEME_OPTIONS

#: Largest upload, MB: the same as `skinscan.photo.PhotoLimits.max_bytes`.
MAX_UPLOAD_MB: Final = 25

#: The only address served: plain HTTP does not leave the machine.
LOOPBACK: Final = "127.0.0.1"

#: Names in the address bar that are answered (against DNS rebinding).
_HOSTS: Final = ("localhost", LOOPBACK, "[::1]", "::1")


def streamlit_arguments(port: int, *, open_browser: bool = False) -> list[str]:
    """Return the flags for ``python -m streamlit run app.py``.

    Parameters
    ----------
    port : int
        Port on the loopback address.
    open_browser : bool
        Whether Streamlit itself opens a browser window; off by default, because the caller
        knows the right address (`page_url`).

    Returns
    -------
    list of str
        Flags of the form ``--section.option=value``, to follow the script's path.
    """
    options = {
        "server.address": LOOPBACK,
        "server.port": str(port),
        "server.headless": "false" if open_browser else "true",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.maxUploadSize": str(MAX_UPLOAD_MB),
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        "server.enableStaticServing": "false",
        "server.showEmailPrompt": "false",
        "server.disconnectedSessionTTL": "60",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": LOOPBACK,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "client.toolbarMode": "minimal",
        "client.showSidebarNavigation": "false",
        "logger.level": "warning",
        **{f"theme.{name}": value for name, value in THEME_OPTIONS.items()},
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [*flags, *(f"--server.allowedHosts={host}" for host in _HOSTS)]


def script_path() -> Path:
    """Return the script that Streamlit runs for every interaction."""
    return Path(__file__).with_name("script.py")


def page_url(port: int, *, sample: bool = False) -> str:
    """Return the page's address; with ``sample`` the sample course opens by itself."""
    query = f"?{quote('course')}={quote('sample')}" if sample else ""
    return f"http://{LOOPBACK}:{port}/{query}"


def keep_uploads_in_memory() -> None:
    """Stop the upload parser from writing photos to a temporary file.

    Streamlit parses uploads with Starlette's form parser, which moves any part above 1 MB
    into a file under the temporary folder. With the limit above the largest upload, a photo
    stays in memory.
    """
    from starlette.formparsers import MultiPartParser  # noqa: PLC0415 - heavy, page only

    MultiPartParser.spool_max_size = (MAX_UPLOAD_MB + 1) * 2**20
