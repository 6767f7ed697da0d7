"""The commands for a practice's records. They run at the machine's own terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from skinscan.cli.speech import calm, examples, say

group = typer.Typer()
audit_group = typer.Typer(help="The trail of who did what.", no_args_is_help=True)
recovery_group = typer.Typer(help="The recovery code on paper.", no_args_is_help=True)

_CLIENT = "A client's identifier, or a part of the name."
_PANEL = "Records of a practice"


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        return ""  # nobody there to agree
    return str(typer.prompt(question, err=True)).strip()


def show_code(code: str) -> None:
    """Show a recovery code, once."""
    say("")
    say("Recovery code, shown this once:")
    typer.echo(code)
    say("")
    say("Print it and lock it away, apart from backups. Without it and the key file, no backup")
    say("can ever be read. Then show that you have it: skinscan recovery prove")


@group.command(
    rich_help_panel=_PANEL,
    help="Make the records of a practice: an encrypted store on this machine.\n\n"
    "SKINSCAN_DATA, SKINSCAN_KEY_FILE, SKINSCAN_DATABASE and SKINSCAN_OBJECTS say where; see "
    "docs/records.md.",
    epilog=examples("skinscan setup --practice 'Rose Street Practice' --zone Europe/Berlin"),
)
def setup(
    *,
    practice: Annotated[str, typer.Option("--practice", help="Its name.", prompt=True)],
    zone: Annotated[str, typer.Option("--zone", help="Its time zone.")] = "UTC",
    language: Annotated[str, typer.Option("--language", help="Its language.")] = "en",
    keep_years: Annotated[
        int | None,
        typer.Option("--keep-years", min=1, help="Erase clients so long after the last session."),
    ] = None,
) -> None:
    """Make the records of a practice."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415 - loads the database layer
        from skinscan.practice.forms import Settings  # noqa: PLC0415

        wanted = Settings(name=practice, zone=zone, language=language, keep_years=keep_years)
        places, code = custody.set_up(wanted)
        say(f"The records are made. The key lies in {places.key_file}: keep it out of backups.")
        show_code(code)


@group.command(
    "clients", rich_help_panel=_PANEL, help="List clients.", epilog=examples("skinscan clients")
)
def list_clients(
    search: Annotated[str, typer.Argument(metavar="[NAME]", help="Part of a name.")] = "",
    *,
    archived: Annotated[bool, typer.Option("--archived", help="Those put away.")] = False,
) -> None:
    """List clients."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415
        from skinscan.practice import clients  # noqa: PLC0415
        from skinscan.practice.principal import TERMINAL  # noqa: PLC0415

        with custody.opened() as records:
            for card in clients.clients(records, TERMINAL, search=search, archived=archived):
                typer.echo(f"{card.id}  {card.profile.name}")


@group.command(
    "add-client",
    rich_help_panel=_PANEL,
    help="Add a client.\n\nWithout --consent no photo can be added.",
    epilog=examples("skinscan add-client 'A. Client' --consent"),
)
def add_client(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    born: Annotated[int | None, typer.Option("--born", metavar="YEAR")] = None,
    consent: Annotated[
        bool, typer.Option("--consent", help="The client agreed to the analysis of photos.")
    ] = False,
) -> None:
    """Add a client."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415
        from skinscan.practice import clients  # noqa: PLC0415
        from skinscan.practice.forms import Profile  # noqa: PLC0415
        from skinscan.practice.principal import TERMINAL  # noqa: PLC0415
        from skinscan.store.schema import Purpose  # noqa: PLC0415

        with custody.opened() as records:
            client_id = clients.add_client(records, TERMINAL, Profile(name, born_year=born))
            if consent:
                clients.give_consent(records, TERMINAL, client_id, Purpose.ANALYSIS)
        typer.echo(client_id)


@group.command(
    "import",
    rich_help_panel=_PANEL,
    help="Bring a folder of dated photos in as sessions of a client.\n\n"
    "Dates come from where skinscan track takes them. Run again, it adds only what is missing.",
    epilog=examples("skinscan import photos/ --client 'A. Client'"),
)
def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False)],
    *,
    client: Annotated[str, typer.Option("--client", metavar="CLIENT", help=_CLIENT)],
    course: Annotated[
        str | None, typer.Option("--course", metavar="ID", help="Where several are open.")
    ] = None,
    dates: Annotated[
        Path | None, typer.Option("--dates", metavar="FILE", help="CSV: photo, date.")
    ] = None,
    same_person: Annotated[
        bool, typer.Option("--same-person", help="All photos show one person, right way round.")
    ] = False,
) -> None:
    """Bring a folder of photos in."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        done = custody.import_folder(
            folder, client=client, course=course, dates=dates, same_person=same_person, say=say
        )
        say(
            f"{done.photos} photos added, {done.known} known already, {done.failed} could not be "
            f"measured; {done.sessions} new sessions."
        )
    if done.failed:
        raise typer.Exit(1)


@group.command(
    rich_help_panel=_PANEL,
    help="Look for everything that can be wrong with the records; it changes nothing.",
    epilog=examples("skinscan doctor", "skinscan doctor --sweep"),
)
def doctor(
    *,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="First remove what writes that were cut off left.")
    ] = False,
) -> None:
    """Look for everything that can be wrong."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        code = custody.doctor(clean=sweep, say=typer.echo)
    raise typer.Exit(code)


@group.command(
    rich_help_panel=_PANEL,
    help="Add a verified snapshot to a backup folder; only what is new is copied.",
    epilog=examples("skinscan backup /mnt/backup", "skinscan backup /mnt/backup --keep 30"),
)
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", file_okay=False)],
    *,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="How many snapshots stay; all if left out.")
    ] = None,
) -> None:
    """Add a snapshot to a backup folder."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        made = custody.backup(folder, keep=keep)
        say(f"{made.folder.name}: {made.copied} new objects copied.")


@group.command(
    rich_help_panel=_PANEL,
    help="Put a backup in the place of the records: every byte is checked first.\n\n"
    "Without the key file it asks for the recovery code. What was there is kept beside it.",
    epilog=examples("skinscan restore /mnt/backup"),
)
def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", file_okay=False)],
    *,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="NAME", help="Not the newest.")
    ] = None,
    code: Annotated[
        bool, typer.Option("--recovery-code", help="Read the recovery code from the terminal.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the records."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        if not yes and _ask("This replaces the records by the backup. Type restore") != "restore":
            say("Nothing was changed.")
            raise typer.Exit(2)
        typed = typer.prompt("Recovery code", err=True, hide_input=False) if code else None
        done = custody.bring_back(folder, snapshot=snapshot, code=typed)
        say(
            f"Restored as of {done.made_at.isoformat(timespec='seconds')}. Everybody signs in anew."
        )


@group.command(
    rich_help_panel=_PANEL,
    help="Write all that there is of a client into a ZIP file.",
    epilog=examples("skinscan export 'A. Client' -o client.zip"),
)
def export(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help=_CLIENT)],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE")],
) -> None:
    """Write all that there is of a client."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415
        from skinscan.practice.custody import export_client  # noqa: PLC0415
        from skinscan.practice.principal import TERMINAL  # noqa: PLC0415

        with custody.opened() as records:
            export_client(records, TERMINAL, custody.look_up(records, client).id, output)
        say("Exported. The file is not encrypted.")


@group.command(
    rich_help_panel=_PANEL,
    help="Erase a client for ever: rows, photos, results and the key that opens them.",
    epilog=examples("skinscan erase 'A. Client'"),
)
def erase(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help=_CLIENT)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a client for ever."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        done = custody.erase(client, confirmed=yes, ask=_ask, say=say)
    raise typer.Exit(0 if done else 2)


@group.command(
    rich_help_panel=_PANEL,
    help="List clients whose records are due for erasure by the practice's rule.\n\n"
    "Nothing is erased without --erase.",
    epilog=examples("skinscan retention", "skinscan retention --erase"),
)
def retention(
    *,
    erase_due: Annotated[bool, typer.Option("--erase", help="Erase them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """List whom the rule of retention says to erase."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        custody.retire(erase_them=erase_due, confirmed=yes, ask=_ask, say=typer.echo)


@group.command(
    "rotate-key",
    rich_help_panel=_PANEL,
    help="Make a new master key and a new recovery code; stop the app first.",
    epilog=examples("skinscan rotate-key"),
)
def rotate_key(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Make a new master key."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        if not yes and _ask("The recovery code on paper will not fit any more. Type new") != "new":
            say("Nothing was changed.")
            raise typer.Exit(2)
        count, code = custody.rotate_key()
        say(f"{count} keys wrapped anew. Backups made before still need the old recovery code.")
        show_code(code)


@group.command(
    "reset-password",
    rich_help_panel=_PANEL,
    help="Make a single-use link by which an owner or practitioner sets a new password.",
    epilog=examples("skinscan reset-password anna"),
)
def reset_password(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Sign-in name.")],
) -> None:
    """Make a link for a new password."""
    with calm():
        from skinscan.cli import serving  # noqa: PLC0415

        path = serving.reset_owner(name)
        say("Open this on the app's address; it works once:")
        typer.echo(path)


@audit_group.command("verify", help="Check that no line was changed or is missing.")
def audit_verify() -> None:
    """Check the audit trail."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415
        from skinscan.practice.custody import verify_audit  # noqa: PLC0415
        from skinscan.practice.principal import TERMINAL  # noqa: PLC0415

        with custody.opened() as records:
            say(f"{verify_audit(records, TERMINAL)} lines, all intact.")


@audit_group.command("show", help="Print the newest lines, newest first.")
def audit_show(
    *, most: Annotated[int, typer.Option("--most", min=1, help="How many lines.")] = 50
) -> None:
    """Print the newest lines."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415
        from skinscan.practice.custody import audit_lines  # noqa: PLC0415
        from skinscan.practice.principal import TERMINAL  # noqa: PLC0415

        with custody.opened() as records:
            for line in audit_lines(records, TERMINAL, most=most):
                detail = " ".join(f"{k}={v}" for k, v in line.detail.items())
                at = line.at.isoformat(timespec="seconds")
                who, whom = line.actor or "terminal", line.subject or "-"
                typer.echo(f"{line.number}  {at}  {line.action}  {who}  {whom}  {detail}".rstrip())


@recovery_group.command("prove", help="Type the recovery code from paper, to show it was kept.")
def recovery_prove() -> None:
    """Show that the recovery code was kept."""
    with calm():
        from skinscan.cli import custody  # noqa: PLC0415

        custody.prove_recovery(str(typer.prompt("Recovery code", err=True)))
        say("It opens these records.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.registered_commands.extend(group.registered_commands)
    app.add_typer(audit_group, name="audit", rich_help_panel=_PANEL)
    app.add_typer(recovery_group, name="recovery", rich_help_panel=_PANEL)
