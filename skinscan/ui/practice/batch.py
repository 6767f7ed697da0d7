"""The batch page: photos of a folder or of this device, measured beside the page, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from skinscan.errors import DeniedError, SkinscanError
from skinscan.practice import batches
from skinscan.ui import batch_strings as strings
from skinscan.ui import markup
from skinscan.ui import strings as photo_strings
from skinscan.ui.batch import roots
from skinscan.ui.batch.inbox import MOST_SENT
from skinscan.ui.batch.run import Options, Run, State
from skinscan.ui.batch.runs import KEPT_H, Runs, runs
from skinscan.ui.practice.asking import Asker, say_next
from skinscan.ui.scoring import log_unexpected
from skinscan.ui.sender import sender
from skinscan.ui.server import MAX_UPLOAD_MB
from skinscan.ui.web import office
from skinscan.ui.web.batch import PHOTO_NAME, SEND_TO
from skinscan.ui.web.cookies import PAGE_HEADER, login_of, page_token

_POLL_S = 1.0
_ROWS = 10
_SET_ASIDE = 3


def show(asker: Asker) -> None:
    """Show whoever asks what they measure, or how to begin."""
    st.title(strings.TITLE, anchor=False)
    with _calm():
        batches.allow_batch(asker.records, asker.principal)
        held = runs()
        run = held.of(asker.who.user_id)
        if run is None or run.state is State.GATHERING:
            _begin(asker, held, run)
        elif run.state is State.RUNNING:
            _running(run)
        else:
            _ended(asker, held, run)
    _kept()


@contextmanager
def _calm() -> Iterator[None]:
    """Turn what stands in the way of a run into a sentence."""
    try:
        yield
    except SkinscanError as error:
        if not isinstance(error, DeniedError):
            log_unexpected(error)
        markup.note(strings.trouble(error.cause), (), look=True)


def _begin(asker: Asker, held: Runs, run: Run | None) -> None:
    markup.write(strings.LEAD, "sk-lead")
    left, right = st.container(key="batch_begin").columns(2, gap="large")
    sent = run.total if run is not None else 0
    with left, st.container(border=True, height="stretch"):
        st.header(strings.FOLDER_TITLE, anchor=False)
        _folder(asker, held, waiting=sent > 0)
    with right, st.container(border=True, height="stretch"):
        st.header(strings.SEND_TITLE, anchor=False)
        text = strings.SEND_TEXT.format(count=MOST_SENT, size=MAX_UPLOAD_MB)
        markup.write(text, "sk-small")
        _sender()
        if run is not None and sent:
            _gathered(asker, held, run)
    with st.expander(strings.OPTIONS):
        st.checkbox(strings.OPTION_LEVELS, key="batch_levels")
        st.checkbox(strings.OPTION_LARGEST, key="batch_largest")


def _options() -> Options:
    return Options(
        levels="all" if st.session_state.get("batch_levels") else "highest",
        largest_face=bool(st.session_state.get("batch_largest")),
    )


def _folder(asker: Asker, held: Runs, *, waiting: bool) -> None:
    if not roots.roots():
        markup.note(strings.FOLDER_NONE, (strings.FOLDER_NONE_TEXT,))
        return
    choices, cut = roots.choices()
    if not choices:
        markup.note(strings.FOLDER_GONE, (strings.FOLDER_GONE_TEXT,), look=True)
        return
    markup.write(strings.FOLDER_TEXT, "sk-small")
    chosen = st.selectbox(
        strings.FOLDER_LABEL, choices, format_func=lambda c: c.label, key="batch_folder"
    )
    if cut:
        markup.write(strings.FOLDER_CUT.format(count=len(choices)), "sk-small")
    if waiting:
        markup.write(strings.FOLDER_WAITS, "sk-small")
    pressed = st.button(
        strings.FOLDER_BUTTON, type="primary", key="batch_measure_folder", disabled=waiting
    )
    if pressed and chosen is not None:
        with _calm(), st.spinner(strings.FOLDER_LOOKING):
            folder, root = roots.opened(chosen.root, chosen.below)
            run = held.of_folder(asker.who.user_id, folder, root)
            _start(asker, held, run)


def _sender() -> None:
    sender(
        SEND_TO,
        headers={PAGE_HEADER: page_token(st.context.cookies)},
        name_header=PHOTO_NAME,
        labels=strings.SEND_LABELS,
        most_mb=MAX_UPLOAD_MB,
        key="batch_sender",
    )


def _gathered(asker: Asker, held: Runs, run: Run) -> None:
    markup.write(strings.GATHERED.format(count=run.total), "sk-lead")
    with st.container(horizontal=True):
        if st.button(strings.START_SENT, type="primary", key="batch_measure_sent"):
            _start(asker, held, run)
        if st.button(strings.REMOVE_SENT, key="batch_remove_sent"):
            _remove(held, run)


def _start(asker: Asker, held: Runs, run: Run) -> None:
    held.start(
        run,
        _options(),
        noted=lambda: batches.note_batch_start(
            asker.records, asker.principal, source=run.source.value, photos=run.total
        ),
    )
    st.rerun()


def _remove(held: Runs, run: Run) -> None:
    held.drop(run)
    say_next(strings.REMOVED)
    st.rerun()


@st.fragment(run_every=_POLL_S)
def _running(run: Run) -> None:
    # This runs by itself: it must not keep a login from ending, and says nothing after its end.
    who = office.signed_in(login_of(st.context.cookies), noted=False)
    if run.state is not State.RUNNING or who is None or who.user_id != run.user_id:
        st.rerun()
    markup.write(strings.RUNNING_TEXT, "sk-lead")
    st.progress(run.done / max(1, run.total), _how_far(run))
    _left_out(run)
    if run.is_stopping:
        markup.write(strings.STOPPING, "sk-small")
    elif st.button(strings.STOP, key="batch_stop"):
        run.stop()
        st.rerun()
    _failures(run)


def _how_far(run: Run) -> str:
    if not run.done:
        return strings.RUNNING_BEGIN
    text = strings.RUNNING.format(done=run.done, total=run.total)
    speed = run.speed()
    if speed:
        text += strings.RUNNING_RATE.format(rate=60 * speed)
        minutes = math.ceil((run.total - run.done) / speed / 60)
        text += (
            strings.RUNNING_LEFT_MINUTES.format(count=minutes)
            if minutes > 1
            else strings.RUNNING_LEFT_SOON
        )
    without = run.done - run.scored
    return text + (strings.RUNNING_FAILED.format(count=without) if without else "")


def _ended(asker: Asker, held: Runs, run: Run) -> None:
    if run.trouble:
        markup.note(strings.trouble(run.trouble), (), look=True)
    if run.state is State.DONE:
        markup.write(strings.DONE, "sk-lead")
    else:
        markup.write(strings.STOPPED.format(done=run.done, total=run.total), "sk-lead")
    numbers = (run.total, run.scored, run.failed, run.quarantined, run.total - run.done)
    shown = len(numbers) if run.state is State.STOPPED else len(numbers) - 1
    pairs = zip(strings.FACTS[:shown], numbers[:shown], strict=True)
    # "Set aside" needs an explanation, which only a run that has such photos gives.
    facts = [p for p in pairs if run.quarantined or p[0] != strings.FACTS[_SET_ASIDE]]
    markup.facts([(name, f"{number:,}") for name, number in facts])
    if run.quarantined:
        markup.write(strings.SET_ASIDE, "sk-small")
    _left_out(run)
    if run.state is State.STOPPED and st.button(strings.GO_ON, type="primary", key="batch_go_on"):
        _start(asker, held, run)
    if run.done:
        _tables(run)
    _failures(run)
    with st.expander(strings.REMOVE):
        markup.write(strings.REMOVE_TEXT, "sk-small")
        if st.button(strings.REMOVE, key="batch_remove"):
            _remove(held, run)


def _left_out(run: Run) -> None:
    if run.left_out:
        markup.write(strings.LEFT_OUT.format(count=run.left_out), "sk-small")


def _tables(run: Run) -> None:
    st.header(strings.TABLES_TITLE, anchor=False)
    markup.write(strings.TABLES_TEXT, "sk-small")
    links = "".join(
        f'<a href="/batch/{run.id}/{name}" target="_self">{markup.escaped(text)}</a>'
        for name, text in strings.TABLES.items()
    )
    st.html(f'<p class="sk-links">{links}</p>')
    head = "".join(f'<th scope="col">{markup.escaped(name)}</th>' for name in strings.PREVIEW_HEAD)
    body = "".join(_row(row) for row in run.rows(_ROWS))
    st.html(
        f'<div class="sk-table sk-preview" tabindex="0"><table>'
        f"<caption>{markup.escaped(strings.PREVIEW)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: tuple[str | float, ...]) -> str:
    photo, *cells = (
        markup.shortened(cell) if isinstance(cell, str) else f"{cell:.4g}" if cell == cell else "–"  # noqa: PLR0124 - NaN
        for cell in row[: len(strings.PREVIEW_HEAD)]
    )
    rest = "".join(f"<td>{markup.escaped(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{markup.escaped(photo)}</th>{rest}</tr>'


def _failures(run: Run) -> None:
    if not run.failures:
        return
    st.header(strings.FAILURES_TITLE, anchor=False)
    # Copied: the run goes on meanwhile.
    for cause, failures in list(run.failures.items()):
        why = strings.failure(cause, photo_strings.PROBLEMS, failures.sentence)
        names = [markup.plain(name) for name in list(failures.names)]
        with st.container(border=True, key=f"batch_failed_{cause}"):
            st.markdown(f"**{failures.count:,}** · {markup.unmarked(why)}")
            more = failures.count - len(names)
            rest = [strings.FAILURES_MORE.format(count=more)] if more > 0 else []
            st.markdown("\n".join(f"- {name}" for name in [*names, *rest]))


def _kept() -> None:
    with st.expander(strings.KEPT_TITLE):
        for line in strings.KEPT:
            markup.write(line.format(hours=KEPT_H), "sk-small")
