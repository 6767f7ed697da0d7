"""The commands: what they take, what they say, and how they end.

Results go to files or to standard output, everything else to standard error. Exit codes: 0 all
good, 1 a photo could not be measured, 2 the command itself was wrong, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from skinscan.cli import records
from skinscan.cli.speech import FAILED, calm, examples, say
from skinscan.errors import OutputError, UnknownNameError

if TYPE_CHECKING:
    from skinscan.progress import Progress

_INTERRUPTED: Final = 130

app = typer.Typer(
    name="skinscan",
    help="Measure skin in photos of faces, and how sure each number is.\n\n"
    "It measures cosmetic appearance. It diagnoses nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


_DECLARED: Final = "What you declare, for the photograph score"
_Choice = TypeVar("_Choice", bound=StrEnum)


class MakeUpChoice(StrEnum):
    """What can be said about make-up."""

    NONE = "none"
    WORN = "worn"


class PaperChoice(StrEnum):
    """Sheets that the guide fits."""

    A4 = "a4"
    LETTER = "letter"


class EngineChoice(StrEnum):
    """Who measures many photos."""

    POOL = "pool"
    DASK = "dask"


class LevelChoice(StrEnum):
    """Which resolution levels go into the table."""

    HIGHEST = "highest"
    ALL = "all"


records.add_to(app)


def main() -> None:
    """Run the command line."""
    app()


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        import skinscan  # noqa: PLC0415 - only here
        from skinscan.native import STATE  # noqa: PLC0415 - only here

        typer.echo(f"skinscan {skinscan.__version__}\ncompiled loops: {STATE}")
        raise typer.Exit


@app.callback(
    epilog=examples(
        "skinscan demo", "skinscan show portrait.jpg", "skinscan score photos/ -o scores.csv"
    )
)
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    del version


@app.command(
    help="Measure many photos into one table.\n\n"
    "A photo that cannot be measured becomes a row with its error. Ends with 0 when all photos "
    "were measured, 1 when some failed, 2 when the command was wrong.\n\n"
    "An existing FILE is replaced once the new table is complete. Until then, what is done is kept "
    "in FILE.partial, and --resume continues it.\n\n"
    "For archives, -o names a folder (it ends in / or begins with s3://): one Parquet part per "
    "shard of photos, counted in the end; --resume does what they lack.",
    epilog=examples(
        "skinscan score photos/ -o scores.csv",
        "skinscan score s3://bucket/photos -o s3://bucket/scores --engine dask "
        "--scheduler tcp://10.0.0.5:8786",
        "skinscan score photos/ -o scores.parquet --workers 2 --overlays overlays/ --resume",
        "skinscan score 'photos/**/front*.jpg' -o fronts.csv --wide",
    ),
)
def score(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Folders (with their subfolders), photos, patterns, or s3://bucket/prefix.",
        ),
    ] = None,
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The table: .csv or .parquet. Or a folder of parts: results/, s3://bucket/results",
        ),
    ],
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="LIST",
            help="Instead of PATH: a CSV or Parquet table with a column 'path'.",
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="One row per photo, one column per metric|region.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Processes; by default one per core. 1 measures in this process, where a photo "
            "that crashes a library ends the run.",
        ),
    ] = None,
    engine: Annotated[
        EngineChoice,
        typer.Option("--engine", help="Processes of this computer, or Dask's workers."),
    ] = EngineChoice.POOL,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="Dask's scheduler; without it a cluster is started on this computer.",
        ),
    ] = None,
    shard_size: Annotated[
        int,
        typer.Option("--shard-size", min=1, max=1000, metavar="N", help="Photos per part."),
    ] = 256,
    overlays: Annotated[
        Path | None,
        typer.Option("--overlays", metavar="DIR", help="Draw what was found into DIR."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run, if there is one.")
    ] = False,
    levels: Annotated[
        LevelChoice,
        typer.Option("--levels", help="The photo's highest resolution level, or all."),
    ] = LevelChoice.HIGHEST,
    largest_face: Annotated[
        bool,
        typer.Option("--largest-face", help="Of several faces take the largest."),
    ] = False,
) -> None:
    """Measure many photos into one table."""
    from skinscan.batch.score import score_to_file  # noqa: PLC0415 - only for this command

    with calm(), _terminated_as_interrupted():
        try:
            summary = score_to_file(
                paths or [],
                output,
                manifest=manifest,
                workers=workers,
                engine=engine.value,
                scheduler=scheduler,
                shard_size=shard_size,
                levels=levels.value,
                largest_face=largest_face,
                wide=wide,
                overlays=overlays,
                resume=resume,
            )
        except KeyboardInterrupt:
            say("Interrupted. The same command with --resume continues.")
            raise typer.Exit(_INTERRUPTED) from None
    before = f", {summary.resumed} of them before" if summary.resumed else ""
    say(
        f"{summary.photos - summary.failed} of {summary.photos} photos measured{before}, "
        f"in {summary.seconds:.1f} s."
    )
    if summary.failed:
        quarantine = f", {summary.quarantined} of them in quarantine" if summary.quarantined else ""
        say(f"{summary.failed} failed{quarantine}:")
        for cause, count in summary.failures.items():
            say(f"  {count:>6}  {cause}: {summary.examples[cause]}")
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let a polite kill end the run as Ctrl-C does."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: then the caller deals with signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@app.command(
    epilog=examples(
        "skinscan show portrait.jpg",
        "skinscan show group.jpg --largest-face",
        "skinscan show portrait.jpg --make-up none --hair-back --jewellery-off "
        "--views front,left,right --before-treatment --noted treatment,date,camera",
    )
)
def show(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="One photo of a face.")],
    *,
    largest_face: Annotated[
        bool,
        typer.Option("--largest-face", help="Of several faces take the largest."),
    ] = False,
    make_up: Annotated[
        MakeUpChoice | None,
        typer.Option("--make-up", help="Make-up on the skin.", rich_help_panel=_DECLARED),
    ] = None,
    hair_back: Annotated[
        bool | None,
        typer.Option(
            "--hair-back/--hair-loose",
            help="Whether hair is held back.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
    jewellery_off: Annotated[
        bool | None,
        typer.Option(
            "--jewellery-off/--jewellery-on",
            help="Whether jewellery is off.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(
            "--views",
            metavar="LIST",
            help="Views taken in this session: front,left,right.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
    before_treatment: Annotated[
        bool | None,
        typer.Option(
            "--before-treatment",
            help="The photo was taken before its session's treatment.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
    hours_since_treatment: Annotated[
        float | None,
        typer.Option(
            "--hours-since",
            min=0.0,
            metavar="N",
            help="Hours since the latest treatment.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
    noted: Annotated[
        str | None,
        typer.Option(
            "--noted",
            metavar="LIST",
            help="What was written down: treatment,date,camera.",
            rich_help_panel=_DECLARED,
        ),
    ] = None,
) -> None:
    """Measure one photo and print what was found.

    The photograph score has nine points: five come from the photo, four from what you declare.
    What is not declared counts as 0.
    """
    from rich.console import Console  # noqa: PLC0415 - only for this command

    from skinscan.cli.report import report  # noqa: PLC0415 - same
    from skinscan.declaration import (  # noqa: PLC0415 - same
        Declaration,
        MakeUp,
        Noted,
    )
    from skinscan.landmarks import View  # noqa: PLC0415 - same
    from skinscan.photoscore import photo_score  # noqa: PLC0415 - same
    from skinscan.scan import analyze  # noqa: PLC0415 - loads mediapipe

    with calm():
        declared = Declaration(
            make_up=MakeUp(make_up.value) if make_up else MakeUp.UNKNOWN,
            hair_back=hair_back,
            jewellery_off=jewellery_off,
            views=_parts(views, View),
            before_treatment=before_treatment,
            hours_since_treatment=hours_since_treatment,
            noted=_parts(noted, Noted),
        )
        scan = analyze(photo, name=photo.name, largest_face=largest_face)
    Console(highlight=False).print(report(scan, photo_score(scan.quality, declared)))


def _parts(text: str | None, kind: type[_Choice]) -> frozenset[_Choice] | None:
    """Read words between commas; None stays None, and an empty text is none of them."""
    if text is None:
        return None
    words = {word.strip() for word in text.split(",")} - {""}
    known = {choice.value: choice for choice in kind}
    unknown = sorted(words - known.keys())
    if unknown:
        raise UnknownNameError(
            expected=f"words out of {', '.join(known)}",
            found=repr(unknown[0]),
            remedy="Separate them by commas, without spaces",
        )
    return frozenset(known[word] for word in words)


_OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Write reports, charts, pictures and tables into DIR.",
    ),
]
_LargestFace = Annotated[
    bool, typer.Option("--largest-face", help="Of several faces take the largest.")
]
_Treated = Annotated[
    list[str] | None,
    typer.Option(
        "--treated", metavar="REGION", help="Treated region or region group; may be repeated."
    ),
]
_SamePerson = Annotated[
    bool,
    typer.Option(
        "--same-person",
        help="You have checked that all photos show one person and none is mirrored: do not stop "
        "where the skin says otherwise.",
    ),
]
_LocaleName = Annotated[
    str, typer.Option("--locale", metavar="NAME", help="How dates and numbers are written.")
]


def _say_summary(progress: Progress, locale: str) -> None:
    for sentence in progress.summary(locale=locale):
        typer.echo(sentence)


@app.command(
    epilog=examples(
        "skinscan compare before.jpg after.jpg", "skinscan compare before.jpg after.jpg -o result/"
    )
)
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The earlier photo.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The later photo.")],
    *,
    output: _OutputFolder = None,
    treated: _Treated = None,
    locale: _LocaleName = "en-GB",
    largest_face: _LargestFace = False,
    same_person: _SamePerson = False,
) -> None:
    """Say what changed between two photos of one face, and how sure that is."""
    from skinscan.cli.progress import confirm_person, write  # noqa: PLC0415 - loads mediapipe
    from skinscan.progress import compare as compare_scans  # noqa: PLC0415 - same
    from skinscan.scan import analyze  # noqa: PLC0415 - same

    with calm():
        first, second = (
            analyze(p, name=p.name, largest_face=largest_face) for p in (before, after)
        )
        if not same_person and first.view is second.view:
            confirm_person(second, first)
        progress = compare_scans(first, second, treated_regions=treated)
        _say_summary(progress, locale)
        if output is not None:
            pair = (first, second) if first.view is second.view else None
            write(progress, output, locale=locale, pair=pair, say=say)


@app.command(
    help="Say what changed over a client's course, and how sure that is.\n\n"
    "FOLDER holds the photos of one client. The date of each is taken from the CSV file given "
    "with --dates (columns photo, date), else from the file's name (2026-03-03_front.jpg), else "
    "from the name of its folder, else from the photo's metadata. Ends with 0 when all photos were "
    "measured, 1 when some failed, 2 when the command was wrong.",
    epilog=examples(
        "skinscan track sample_images/ -o result/",
        "skinscan track client/ --baseline 2026-02-24 --baseline 2026-03-03 --treated crows_feet",
        "skinscan track client/ --events events.csv --dates dates.csv",
    ),
)
def track(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Photos of one client.")],
    *,
    output: _OutputFolder = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="DATE",
            help="Session before treatment, by default the first; repeat it for several, whose "
            "mean is taken.",
        ),
    ] = None,
    treated: _Treated = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="KIND:DATE",
            help="What else may have changed the skin (injection, filler, laser, peel, retinoid, "
            "illness, sun); may be repeated.",
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="CSV file of such events: columns date, kind and, if you like, note.",
        ),
    ] = None,
    dates: Annotated[
        Path | None,
        typer.Option(
            "--dates",
            metavar="FILE",
            help="CSV file about the photos: columns photo, date and, if you like, make_up (none, "
            "worn, unknown) and just_treated (yes, no).",
        ),
    ] = None,
    practice: Annotated[
        str,
        typer.Option("--practice", metavar="NAME", help="Name of the practice, on progress.pdf."),
    ] = "",
    locale: _LocaleName = "en-GB",
    largest_face: _LargestFace = False,
    same_person: _SamePerson = False,
) -> None:
    """Say what changed over a client's course, and how sure that is."""
    from skinscan.cli.events import (  # noqa: PLC0415 - only for this command
        parse_event,
        read_events,
    )
    from skinscan.cli.printed import write_printed  # noqa: PLC0415 - same
    from skinscan.cli.progress import (  # noqa: PLC0415 - only for this command
        course_in_motion,
        first_and_last,
        measure_folder,
        parse_dates,
        seen,
        write,
    )
    from skinscan.progress import track as track_scans  # noqa: PLC0415 - loads mediapipe
    from skinscan.report import confirm_names  # noqa: PLC0415 - same

    with calm():
        confirm_names(practice)
        noted = read_events(events) if events is not None else ()
        told = [parse_event(text) for text in event or ()]
        chosen = parse_dates(baseline or ())
        found = measure_folder(
            folder, dates=dates, largest_face=largest_face, same_person=same_person, say=say
        )
        progress = track_scans(
            found.scans,
            dates=found.dates,
            treated_regions=treated,
            events=[*noted, *(e for e in told if e not in noted)],
            baseline=chosen or "first",
            declared=found.declared,
        )
        say(f"{len(progress.sessions)} sessions, photos: {seen([s.view for s in found.scans])}.")
        _say_summary(progress, locale)
        if output is not None:
            pair = first_and_last(progress, found, largest_face=largest_face)
            motion = course_in_motion(progress, found, largest_face=largest_face, locale=locale)
            write(progress, output, locale=locale, pair=pair, motion=motion, say=say)
            write_printed(progress, found, output, practice=practice, locale=locale, pair=pair)
    if found.failed:
        say(f"{found.failed} photos could not be measured.")
        raise typer.Exit(FAILED)


@app.command(
    epilog=examples(
        "skinscan phantom -o course/", "skinscan phantom -o course/ --seed 7 --sessions 6"
    )
)
def phantom(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for photos and truth.")
    ],
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another person.")] = 1,
    sessions: Annotated[
        int, typer.Option("--sessions", min=2, max=100, help="Sessions of the course.")
    ] = 8,
) -> None:
    """Render a course of a face that does not exist, with its truth.

    Writes one front view per session and truth.json, which lists what was rendered.
    """
    from skinscan.phantom import write_course  # noqa: PLC0415 - only for this command

    with calm():
        write_course(output, seed=seed, sessions=sessions)
    say(f"{sessions} sessions written.")


@app.command(
    epilog=examples(
        "skinscan guide -o photo-guide.pdf",
        "skinscan guide -o photo-guide.pdf --paper letter --practice 'Rose Street Practice'",
    )
)
def guide(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page, a PDF.")
    ],
    paper: Annotated[PaperChoice, typer.Option("--paper", help="Sheet size.")] = PaperChoice.A4,
    practice: Annotated[
        str,
        typer.Option(
            "--practice", metavar="NAME", help="Printed on top; without it a line to write on."
        ),
    ] = "",
) -> None:
    """Write a photo guide for the wall: one page with the set-up, the steps and the limits."""
    from skinscan.guide import (  # noqa: PLC0415 - only for this command
        Paper,
        family_limits,
        photo_guide,
    )
    from skinscan.precision import precision_model  # noqa: PLC0415 - same

    with calm():
        page = photo_guide(
            paper=Paper(paper.value), practice=practice, limits=family_limits(precision_model())
        )
        try:
            output.write_bytes(page)
        except OSError as error:
            raise OutputError(
                expected="a file that can be written",
                found=(error.strerror or type(error).__name__).lower(),
                remedy="Choose another folder, or free some space",
            ) from error


@app.command(epilog=examples("skinscan demo", "skinscan demo --port 8600 --no-browser"))
def demo(
    *,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="By default the first free one from 8501."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open the browser.")
    ] = False,
) -> None:
    """Open the sample course in the browser.

    The page is served to this machine only. Stop it with Ctrl-C.
    """
    from skinscan.cli import serving  # noqa: PLC0415 - loads the pages and the database layer

    with calm(), _terminated_as_interrupted():
        code = serving.demo(port=port, browser=not no_browser, say=say)
    sys.exit(code)


@app.command(
    epilog=examples(
        "skinscan serve",
        "skinscan serve --address 0.0.0.0 --host practice.example --cert cert.pem --key key.pem",
    )
)
def serve(
    *,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="By default the first free one from 8501."),
    ] = None,
    address: Annotated[
        str, typer.Option("--address", help="Network to listen on; by default this machine only.")
    ] = "127.0.0.1",
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="Name by which browsers reach this server."),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option("--cert", metavar="FILE", help="Certificate, for HTTPS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Its key.")] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy on this machine serves HTTPS in front of it."),
    ] = False,
    batch_folder: Annotated[
        list[Path] | None,
        typer.Option(
            "--batch-folder",
            metavar="DIR",
            help="Folder of photos that the staff may measure on the batch page, with those inside "
            "of it; may be repeated. None without.",
        ),
    ] = None,
) -> None:
    """Serve the app for a practice.

    The first start makes the records (see skinscan setup) and prints the owner's one-time code.
    Plain HTTP is served to this machine only; tablets need HTTPS.
    """
    from skinscan.cli import serving  # noqa: PLC0415 - loads the pages and the database layer

    with calm(), _terminated_as_interrupted():
        code = serving.serve(
            port=port,
            address=address,
            hosts=tuple(host or ()),
            cert=cert,
            key=key,
            proxy=behind_proxy,
            batch_folders=tuple(batch_folder or ()),
            say=say,
            show_code=records.show_code,
        )
    sys.exit(code)
