"""``skinscan demo`` and ``skinscan serve``: the app, for trying out and for a practice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from skinscan.cli import running
from skinscan.cli.demo import CLIENT, OWNER, PRACTITIONER, demo_practice
from skinscan.errors import AccountExistsError, AccountMissingError, BadOptionError
from skinscan.practice.forms import Settings
from skinscan.resources import sample_course_dir
from skinscan.store.accounts import invitations, users
from skinscan.store.accounts.names import login_index
from skinscan.store.accounts.sign_in import tidy
from skinscan.store.erasure import keep_reserve
from skinscan.store.inventory import sweep
from skinscan.store.records import Places, create_records, default_places, open_records
from skinscan.store.schema import Role
from skinscan.ui.batch.roots import BATCH_FOLDERS, checked
from skinscan.ui.batch.space import space_of
from skinscan.ui.batch.space import sweep as sweep_runs
from skinscan.ui.server import LOOPBACK, Serving
from skinscan.ui.web.cookies import PLAIN_HTTP
from skinscan.ui.web.doors import ENTRANCE

Say = Callable[[str], None]


def demo(*, port: int | None, browser: bool, say: Say) -> int:
    """Serve the sample course from a throw-away store; the exit code."""
    serving = Serving(port=running.free_port(port))
    with demo_practice(say) as made:
        say("")
        say("Sign-in names and passwords:")
        for name in (PRACTITIONER, CLIENT, OWNER):
            say(f"  {name:13}{made.passwords[name]}")
        say("")
        say(f"Signed in as the practitioner: {serving.url}{made.entrance}")
        return running.run(
            serving,
            environment={
                **_places(made.places),
                PLAIN_HTTP: "1",
                ENTRANCE: "1",
                BATCH_FOLDERS: checked([sample_course_dir()]),
            },
            page=made.entrance,
            browser=browser,
            say=say,
        )


def serve(
    *,
    port: int | None,
    address: str,
    hosts: tuple[str, ...],
    cert: Path | None,
    key: Path | None,
    proxy: bool,
    batch_folders: tuple[Path, ...],
    say: Say,
    show_code: Say,
) -> int:
    """Serve a practice; the exit code.

    Raises
    ------
    BadOptionError
        Plain HTTP would leave the machine, half a certificate was given, or a folder for the batch
        page is none.
    """
    if (cert is None) != (key is None):
        raise BadOptionError(
            expected="--cert and --key together", found="one of them", remedy="Give both"
        )
    if cert is None and address != LOOPBACK:
        raise BadOptionError(
            expected="HTTPS where others can reach the server",
            found="plain HTTP",
            remedy="Give --cert and --key, or put a reverse proxy in front (--behind-proxy)",
        )
    allowed = checked(batch_folders)
    serving = Serving(
        port=running.free_port(port), address=address, hosts=hosts, cert=cert, key=key
    )
    places = default_places()
    if not places.key_file.exists():
        records, code = create_records(places, settings=Settings().to_json())
        keep_reserve(records.database)
        show_code(code)
    else:
        records = open_records(places)
    with records:
        tidy(records.database)
        swept = sweep(records)
        if swept:
            say(f"{swept} left-over files of writes that were cut off were removed.")
        with suppress(AccountExistsError):
            secret = invitations.issue_set_up(
                records.database, records.practice_id, audit=records.write_down
            )
            say(f"Nobody owns this practice yet. Open {serving.url}/setup and type this code:")
            say(f"  {secret}")
        if sweep_runs(space_of(places)):
            say("What runs of the batch page had left behind was removed.")
    environment = {} if cert is not None or proxy else {PLAIN_HTTP: "1"}
    if batch_folders:
        environment[BATCH_FOLDERS] = allowed
    try:
        return running.run(serving, environment=environment, page="/", browser=False, say=say)
    finally:
        # The server may have been killed: what its runs kept does not wait for the next start.
        sweep_runs(space_of(places))


def reset_owner(name: str) -> str:
    """Make a link by which an owner gives themself a new password; its path.

    Raises
    ------
    AccountMissingError
    """
    with open_records(default_places()) as records:
        with records.database.read() as session:
            user = users.find(session, login_index(records.practice_key, name))
        if user is None or user.role is Role.CLIENT:
            raise AccountMissingError(
                expected="somebody of the staff with this sign-in name",
                found="nobody",
                remedy="Check the name",
            )
        secret = invitations.issue_reset(
            records.database, user.id, made_by=None, audit=records.write_down
        )
    return f"/reset/{secret}"


def _places(places: Places) -> dict[str, str]:
    return {
        "SKINSCAN_DATABASE": places.database,
        "SKINSCAN_OBJECTS": places.objects,
        "SKINSCAN_KEY_FILE": str(places.key_file),
    }
