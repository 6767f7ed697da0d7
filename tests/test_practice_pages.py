"""The pages behind the login, run without a browser: what each role sees and can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from _practice import sample_scan
from made_records import CANARY, DAY, places, prepared
from made_records import office as make_office

from skinscan.errors import StorageFullError
from skinscan.landmarks import View
from skinscan.looks import Pictures
from skinscan.practice import clients, courses, custody, photos
from skinscan.practice.forms import ClientReport, Gais, SessionNotes, SkinState
from skinscan.practice.principal import TERMINAL
from skinscan.quality import Check, Grade
from skinscan.store.accounts.logins import SignedIn
from skinscan.store.schema import Purpose, Role, User, now
from skinscan.store.sealing import seal_json
from skinscan.ui import practice_strings as strings
from skinscan.ui import strings as photo_strings
from skinscan.ui.batch import runs, space
from skinscan.ui.practice import intake, session
from skinscan.ui.web import office

SCRIPT = str(Path(intake.__file__).parents[1] / "script.py")

LOOK = Pictures(
    thumbnail=b"thumb",
    overlays={(r, w): b"x" for r in (False, True) for w in (False, True)},
    width_px=300,
)


def ready(seed, **changed):
    """A photo that seems measured, with what is shown of it."""
    scan = replace(sample_scan(), **changed) if changed else sample_scan()
    made = prepared(seed)
    return replace(made, scan=replace(scan, sha256=f"{seed:064x}"), look=LOOK)


@pytest.fixture
def made(tmp_path, monkeypatch):
    it = make_office(places(tmp_path))
    monkeypatch.setattr(office, "records", lambda: it.records)
    monkeypatch.setattr(intake, "_intakes", {})
    held = runs.Runs(space.Space(tmp_path / "space"), workers=1)
    monkeypatch.setattr("skinscan.ui.practice.batch.runs", lambda: held)
    # Without a browser there are no cookies to make it of.
    monkeypatch.setattr("skinscan.ui.practice.batch.page_token", lambda _cookies: "t")
    for principal in (it.owner, it.carer, it.colleague):
        with it.records.database.write() as session:
            row = session.get(User, principal.user_id)
            row.profile_sealed = seal_json(
                it.records.practice_key,
                {"sign_in_name": row.id, "display_name": f"Staff {row.role.value}"},
                place=f"users.profile/{row.id}",
            )
    yield it
    held.close()
    it.records.close()


@pytest.fixture
def page(made, monkeypatch):
    from streamlit.testing.v1 import AppTest

    def opened(principal, **query):
        who = SignedIn(
            login_id="l" * 32,
            user_id=principal.user_id,
            practice_id=made.records.practice_id,
            role=principal.role,
            client_id=made.client_id if principal == made.client else None,
            created_at=now(),
        )
        monkeypatch.setattr(office, "signed_in", lambda _secret: who)
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return opened


def text_of(app):
    kinds = ("title", "header", "subheader", "markdown", "code", "toast")
    parts = [str(e.value) for kind in kinds for e in app.get(kind)]
    parts += [e.label for kind in ("button", "toggle", "expander") for e in app.get(kind)]
    return "\n".join(parts + [e.proto.body for e in app.get("html")])


def go(app, name):
    app.segmented_control(key="nav").set_value(name).run()
    assert not app.exception
    return app


def course_of_two(made):
    """A second session a week later, and a photo in each."""
    later = courses.add_session(made.records, made.carer, made.course_id, DAY + timedelta(days=7))
    softer = tuple(
        replace(m, value=m.value * 0.6) if m.metric == "wrinkles.severity" else m
        for m in sample_scan().measurements
    )
    photos.add_photo(made.records, made.carer, made.session_id, ready(1))
    photos.add_photo(made.records, made.carer, later, ready(2, measurements=softer))
    return later


def test_whoever_is_not_signed_in_any_more_sees_only_that(made, page, monkeypatch):
    app = page(made.carer)
    assert CANARY in text_of(app)
    monkeypatch.setattr(office, "signed_in", lambda _secret: None)
    app.run()
    assert strings.SESSION_OVER in text_of(app)
    assert CANARY not in text_of(app)
    assert "skinscan_user" not in app.session_state


def test_another_user_in_the_same_browser_finds_nothing_of_the_last(made, page):
    app = page(made.carer, client=made.client_id)
    app.session_state["skinscan_course"] = "left over"
    other = page(made.colleague)
    assert "skinscan_course" not in other.session_state


def test_an_error_in_a_page_is_calm(made, page, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise ValueError("secret detail")

    monkeypatch.setattr(clients, "clients", fail)
    app = page(made.carer)
    assert photo_strings.UNEXPECTED in text_of(app)
    assert "secret detail" not in text_of(app) + caplog.text


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("owner", {strings.NAV_PRACTICE, strings.NAV_CLIENTS}),
        ("carer", {strings.NAV_CLIENTS}),
        ("client", {strings.NAV_PROGRESS, strings.NAV_REPORT, strings.NAV_DATA}),
    ],
)
def test_each_role_has_its_pages_and_every_page_opens(made, page, role, pages):
    app = page(getattr(made, role))
    options = set(app.segmented_control(key="nav").options)
    assert pages <= options
    assert (strings.NAV_PRACTICE in options) is (role == "owner")
    for name in options:
        go(app, name)
        assert photo_strings.UNEXPECTED not in text_of(app), name


def test_clients_are_found_added_and_opened(made, page):
    app = page(made.carer)
    app.text_input(key="client_search").input("somebody").run()
    assert CANARY not in text_of(app)
    assert "Somebody Else" in text_of(app)
    names = [e for e in app.text_input if e.label == strings.CLIENT_NAME]
    names[0].input("New <b>Client</b>")
    (add,) = [b for b in app.button if b.label == strings.CLIENT_ADD]
    add.click().run()
    assert not app.exception
    assert "<b>" not in text_of(app)
    found = {c.profile.name for c in clients.clients(made.records, made.carer)}
    assert "New <b>Client</b>" in found


def test_a_client_who_may_not_be_seen_is_a_sentence(made, page):
    custody.change_settings(
        made.records,
        TERMINAL,
        replace(custody.settings(made.records, TERMINAL), own_clients_only=True),
    )
    assert strings.DENIED in text_of(page(made.colleague, client=made.client_id))
    assert strings.DENIED in text_of(page(made.carer, client="0" * 32))


def test_a_client_page_without_photos_says_what_to_do(made, page):
    text = text_of(page(made.carer, client=made.client_id))
    assert strings.PROGRESS_NOTHING_STAFF in text
    assert strings.SESSION_NEW in text


def test_a_client_page_says_what_changed_and_shows_ratings(made, page):
    course_of_two(made)
    courses.report_session(
        made.records, made.carer, made.session_id, ClientReport(result=Gais.IMPROVED, relaxation=7)
    )
    text = text_of(page(made.carer, client=made.client_id))
    assert photo_strings.PROGRESS_TITLE in text
    assert "softer since 3 March" in text
    assert strings.GAIS[1] in text
    assert "7/10" in text


def test_new_session_opens_a_session_of_today(made, page):
    app = page(made.carer, client=made.client_id)
    app.button(key="new_session").click().run()
    assert not app.exception
    assert strings.STEP_PHOTOS in text_of(app)
    held = courses.sessions(made.records, made.carer, made.course_id)
    assert [s.held_on for s in held] == [DAY, now().date()]
    again = page(made.carer, client=made.client_id)
    again.button(key="new_session").click().run()
    assert len(courses.sessions(made.records, made.carer, made.course_id)) == 2


def test_what_was_done_is_saved(made, page):
    app = page(made.carer, client=made.client_id, session=made.session_id)
    app.radio(key=f"skin_{made.session_id}").set_value(SkinState.CLEAN)
    app.text_area(key=f"points_{made.session_id}").input("ST 36 | chin | 5 mm\nLED 633 nm")
    app.text_area(key=f"notes_{made.session_id}").input("calm")
    app.button(key=f"save_{made.session_id}").click().run()
    assert not app.exception
    notes = courses.session(made.records, made.carer, made.session_id).notes
    assert (notes.skin, notes.notes) == (SkinState.CLEAN, "calm")
    assert [(p.name, p.region, p.detail) for p in notes.points] == [
        ("ST 36", "chin", "5 mm"),
        ("LED 633 nm", "", ""),
    ]


def test_a_session_changed_elsewhere_is_not_overwritten(made, page):
    app = page(made.carer, client=made.client_id, session=made.session_id)
    courses.edit_session(
        made.records,
        made.owner,
        made.session_id,
        SessionNotes(notes="the owner's"),
        held_on=DAY,
        version=1,
    )
    app.text_area(key=f"notes_{made.session_id}").input("mine")
    app.button(key=f"save_{made.session_id}").click().run()
    notes = courses.session(made.records, made.carer, made.session_id).notes
    assert notes.notes in {"the owner's", "mine"}


def test_sharing_is_a_switch(made, page):
    app = page(made.carer, client=made.client_id, session=made.session_id)
    app.toggle(key=f"shared_{made.session_id}").set_value(True).run()
    assert courses.session(made.records, made.carer, made.session_id).shared_at is not None


# Photos on their way


def wait_for(it):
    import time

    for _ in range(600):
        if not it.running:
            return
        time.sleep(0.01)
    raise AssertionError("still running")


@pytest.fixture
def uploads(made, monkeypatch):
    def prepare(source):
        if source == b"full":
            raise StorageFullError(expected="room", found="none", remedy="Make room")
        number = source[0]
        if number < 100:
            return ready(number)
        poor = Check("light", "Light", 14.0, "°", "≤ 20", Grade.POOR, "Turn to the window.")
        quality = replace(sample_scan().quality, checks=(poor,))
        return ready(number, quality=quality)

    monkeypatch.setattr(photos, "prepare", prepare)
    return intake.intake_of(made.records, made.carer, made.session_id)


def test_good_photos_are_kept_at_once_and_doubtful_ones_wait(made, uploads, page):
    uploads.start([("a.jpg", bytes([1])), ("b.jpg", bytes([120])), ("c.jpg", bytes([1]))])
    wait_for(uploads)
    fates = {item.label: item.fate for item in uploads.items}
    assert fates == {
        "a.jpg": intake.Fate.KEPT,
        "b.jpg": intake.Fate.WAITING,
        "c.jpg": intake.Fate.REFUSED,
    }
    assert len(photos.photos(made.records, made.carer, made.session_id)) == 1
    app = page(made.carer, client=made.client_id, session=made.session_id)
    text = text_of(app)
    assert "Turn to the window." in text
    assert strings.PHOTO_KNOWN in text
    app.button(key="keep_0").click().run()
    assert not app.exception
    assert len(photos.photos(made.records, made.carer, made.session_id)) == 2
    assert uploads.waiting == []


def test_a_doubtful_photo_can_be_left_out(made, uploads, page):
    uploads.start([("b.jpg", bytes([120]))])
    wait_for(uploads)
    app = page(made.carer, client=made.client_id, session=made.session_id)
    app.button(key="retake_0").click().run()
    assert not app.exception
    assert photos.photos(made.records, made.carer, made.session_id) == []
    assert uploads.items == []


def test_what_cannot_be_saved_is_said_and_the_rest_goes_on(made, uploads):
    uploads.start([("full.jpg", b"full"), ("a.jpg", bytes([1]))])
    wait_for(uploads)
    assert [item.fate for item in uploads.items] == [intake.Fate.REFUSED, intake.Fate.KEPT]
    assert uploads.items[0].reasons
    del made


def test_what_comes_while_measuring_waits_for_its_turn(made, uploads, monkeypatch):
    import threading

    go_on, busy, most = threading.Event(), [], []
    prepare = photos.prepare

    def slow(source):
        busy.append(source)
        most.append(len(busy))
        go_on.wait(10)
        busy.remove(source)
        return prepare(source)

    monkeypatch.setattr(photos, "prepare", slow)
    assert uploads.start([("a.jpg", bytes([1]))]) == 1
    assert uploads.start([("b.jpg", bytes([2]))]) == 1
    monkeypatch.setattr(intake, "MOST_FILES", 1)
    assert uploads.start([("c.jpg", bytes([3]))]) == 0
    go_on.set()
    wait_for(uploads)
    assert [item.fate for item in uploads.items] == [intake.Fate.KEPT] * 2
    assert (max(most), uploads.done) == (1, 2)
    del made


def test_the_first_photo_is_that_of_the_course_as_it_is_now(made, uploads):
    assert uploads.first(View.FRONT) is None
    first = photos.add_photo(made.records, made.carer, made.session_id, ready(1))
    assert uploads.first(View.FRONT).name == first
    assert uploads.first(View.LEFT) is None
    second = photos.add_photo(made.records, made.carer, made.session_id, ready(2))
    photos.remove_photo(made.records, made.carer, first)
    assert uploads.first(View.FRONT).name == second


def test_the_camera_gets_the_first_photos_once(made, page, monkeypatch):
    shown, looks = [], []
    read = photos.course_looks

    def course_looks(records, principal, course_id, photo_ids):
        looks.append(list(photo_ids))
        return read(records, principal, course_id, photo_ids)

    monkeypatch.setattr(photos, "course_looks", course_looks)
    monkeypatch.setattr(session, "page_token", lambda _cookies: "token")
    monkeypatch.setattr(session, "camera", lambda *args, **told: shown.append((args, told)))
    first = photos.add_photo(made.records, made.carer, made.session_id, ready(1))
    later = courses.add_session(made.records, made.carer, made.course_id, DAY + timedelta(days=7))
    app = page(made.carer, client=made.client_id, session=later)
    assert shown == []
    app.toggle(key=f"camera_on_{later}").set_value(True).run()
    app.run()
    assert not app.exception
    assert looks == [[first]]
    ((args, told), again) = shown
    assert (args, told["token"]) == ((later,), "token")
    assert (told["ghosts"], told["taken"]) == ({View.FRONT: b"x"}, set())
    assert again[1]["ghosts"] == told["ghosts"]


def test_the_same_upload_is_found_again_and_others_have_their_own(made):
    mine = intake.intake_of(made.records, made.carer, made.session_id)
    assert intake.intake_of(made.records, made.carer, made.session_id) is mine
    assert intake.intake_of(made.records, made.colleague, made.session_id) is not mine


# The client


def test_a_client_reads_the_same_verdicts_and_no_photo_before_sharing(made, page):
    later = course_of_two(made)
    app = page(made.client)
    text = text_of(app)
    assert "softer since 3 March" in text
    assert strings.PHOTOS_NOT_SHARED in text
    picture = "base64,eA=="  # of `LOOK`
    assert text.count(picture) == 0
    for each in (made.session_id, later):
        courses.share_session(made.records, made.carer, each)
    shown = text_of(app.run())
    assert strings.PHOTOS_NOT_SHARED not in shown
    assert shown.count(picture) + shown.count("base64,dGh1bWI=") > 0
    assert f"notes on {CANARY}" not in shown


def test_a_client_tells_how_they_are(made, page):
    app = go(page(made.client), strings.NAV_REPORT)
    app.selectbox[1].set_value(Gais.MUCH_IMPROVED)
    app.segmented_control(key=f"relaxation_{made.session_id}").set_value(8)
    (save,) = [b for b in app.button if b.label == strings.SAVE]
    save.click().run()
    assert not app.exception
    report = courses.session(made.records, made.carer, made.session_id).report
    assert (report.result, report.relaxation, report.stress) == (Gais.MUCH_IMPROVED, 8, None)


def test_a_client_withdraws_a_consent_and_asks_for_erasure(made, page):
    app = go(page(made.client), strings.NAV_DATA)
    app.toggle(key="consent_analysis_True").set_value(False).run()
    assert not app.exception
    found = clients.consents(made.records, made.carer, made.client_id)
    assert [c.withdrawn_at is not None for c in found if c.purpose is Purpose.ANALYSIS] == [True]
    app.button(key="ask_deletion").click().run()
    assert clients.client(made.records, made.carer, made.client_id).deletion_asked_at
    assert strings.ALERT_DELETION in text_of(page(made.carer, client=made.client_id))


# The owner


def test_an_owner_disables_invites_and_erases(made, page):
    app = go(page(made.owner), strings.NAV_PRACTICE)
    app.button(key=f"able_{made.colleague.user_id}").click().run()
    with made.records.database.read() as session:
        assert session.get(User, made.colleague.user_id).disabled_at is not None
    app.button(key="invite_practitioner").click().run()
    assert "/welcome/" in text_of(app)
    clients.ask_deletion(made.records, made.client, made.client_id)
    app.run()
    app.text_input(key=f"erase_{made.client_id}").input("somebody").run()
    app.button(key=f"erase_now_{made.client_id}").click().run()
    assert strings.ERASURE_OTHER in text_of(app)
    app.text_input(key=f"erase_{made.client_id}").input(CANARY).run()
    app.button(key=f"erase_now_{made.client_id}").click().run()
    assert not app.exception
    assert {c.id for c in clients.clients(made.records, made.owner)} == {made.other_id}


def test_every_enumeration_has_words():
    from skinscan.progress import EventKind

    assert set(strings.SKIN_STATES) == {s.value for s in SkinState}
    assert set(strings.TREATMENT_KINDS) == {k.value for k in EventKind}
    assert set(strings.CONSENTS) == {p.value for p in Purpose}
    assert set(strings.STAFF_ROLES) == {r.value for r in Role}
    assert set(strings.GAIS) == {int(g) for g in Gais}
