"""Every word of the practice's pages; one catalogue, ready for translation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Doors

PRODUCT: Final = "skinscan"
SIGN_IN: Final = "Sign in"
SIGN_IN_NAME: Final = "Sign-in name"
PASSWORD: Final = "Password"  # noqa: S105 - a label
CODE: Final = "One-time password"
CODE_ASK: Final = "Type the code that your app shows now."
SIGN_IN_WRONG: Final = "Name, password or code is not right."
SIGN_IN_PAUSED: Final = "Too many attempts. Wait some minutes, then try again."
SIGN_IN_HELP: Final = (
    "No account, or the password is lost? Ask your practice for a link. An owner makes one on the "
    "machine's terminal: skinscan reset-password."
)
SIGN_IN_PROVIDER: Final = "Sign in with the practice's account"
JOIN_PROVIDER: Final = "Use the practice's account instead of a password"
JOIN_PROVIDER_TEXT: Final = "Go on to sign in there. Your account is made when you come back."
JOIN_PROVIDER_GO: Final = "Go on"
PROVIDER_REFUSED: Final = (
    "The practice's account is not known here. Open your invitation, and choose it there."
)
PROVIDER_DOWN: Final = "The practice's sign-in does not answer as it should. Try again later."
FORM_OLD: Final = "The form was too old. Please try again."
WELCOME: Final = "Welcome"
WELCOME_TEXT: Final = (
    "Choose a sign-in name and a password. A few random words make a good password."
)
SHOWN_NAME: Final = "Your name, as the practice sees it"
CREATE: Final = "Create the account"
SETUP: Final = "Set up the practice"
SETUP_TEXT: Final = "Type the code that skinscan serve has printed in the terminal."
SETUP_CODE: Final = "Code from the terminal"
RESET: Final = "A new password"
RESET_TEXT: Final = (
    "Choose a new password. Everybody who is signed in with the old one is not any more."
)
RESET_BUTTON: Final = "Save the password"
LINK_BAD: Final = "This link was used already, has expired, or is not complete. Ask for a new one."
DONE_SIGN_IN: Final = "Done. Sign in now."
SIGNED_OUT: Final = "You are signed out."
ERROR_SERVER: Final = "This does not work right now. Nothing was lost; try again in a moment."

# Everywhere

SIGN_OUT: Final = "Sign out"
SESSION_OVER: Final = "You are not signed in any more."
SIGN_IN_AGAIN: Final = "Sign in again"
NAV_CLIENTS: Final = "Clients"
NAV_QUICK: Final = "Quick look"
NAV_BATCH: Final = "Batch"
NAV_PRACTICE: Final = "Practice"
NAV_ACCOUNT: Final = "My account"
NAV_PROGRESS: Final = "My progress"
NAV_REPORT: Final = "How I am"
NAV_DATA: Final = "My data"
SAVE: Final = "Save"
SAVED: Final = "Saved."
DENIED: Final = "You may not see this."
CONFLICT: Final = "Somebody else changed this meanwhile. It was loaded again; repeat the change."
NOTHING_LOST: Final = "Nothing was lost."

# Clients

CLIENTS_TITLE: Final = "Clients"
CLIENTS_EMPTY: Final = "No clients yet. Add the first one below."
CLIENTS_NONE_FOUND: Final = "Nobody of that name."
CLIENTS_SEARCH: Final = "Search by name"
CLIENTS_ARCHIVED: Final = "Show archived clients"
CLIENT_ADD: Final = "Add a client"
CLIENT_NAME: Final = "Name"
CLIENT_BORN: Final = "Year of birth"
CLIENT_CONTACT: Final = "Contact"
CLIENT_NOTES: Final = "Notes"
CLIENT_OPEN: Final = "Open"
CLIENT_BACK: Final = "All clients"
CLIENT_PLACE: Final = "{held} of {planned} sessions"
CLIENT_PLACE_MORE: Final = "{held} sessions, {planned} were planned"
CLIENT_DUE: Final = "Next session due {date}"
CLIENT_OVERDUE: Final = "Session was due {date}"
CLIENT_ENDED: Final = "ended {date}"
CLIENT_NO_COURSE: Final = "No course yet"
ALERT_DELETION: Final = "This client asks for all data to be erased."
ALERT_CONSENT: Final = (
    "No consent to the analysis is recorded: photos can be added once the client has agreed."
)
ALERT_ARCHIVED: Final = "This client is archived: nothing can be added."
TAB_PROGRESS: Final = "Progress"
TAB_SESSIONS: Final = "Sessions"
TAB_RECORD: Final = "Record"

CONSENTS_TITLE: Final = "Consents"
CONSENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "analysis": "Photos may be taken, kept encrypted and measured here.",
        "research": "Measurements without name and photo may be used for research.",
        "publication": "Photos may be published after asking again for each.",
    }
)
CONSENT_SINCE: Final = "since {date}"
CONSENT_NOTE: Final = "What was agreed stays on record, also when it is withdrawn."
ARCHIVE: Final = "Archive this client"
UNARCHIVE: Final = "Take out of the archive"
INVITE_CLIENT: Final = "Invite to their own dashboard"
INVITE_LINK: Final = (
    "Give this link to the client. It works once, for 7 days, and is not shown again."
)
RESET_LINK: Final = "Give this link to {name}. It works once and is not shown again."
CARER: Final = "Looked after by"
CARER_NONE: Final = "nobody"
ACCOUNT_OF_CLIENT: Final = "The client's own dashboard"
HAS_ACCOUNT: Final = "This client has an account."
MAKE_RESET: Final = "New password link"

# Courses and sessions

COURSE_NEW: Final = "Plan a course"
COURSE_START: Final = "First session"
COURSE_PLANNED: Final = "Planned sessions"
COURSE_INTERVAL: Final = "Days between sessions"
COURSE_FOLLOW_UP: Final = "Days until the follow-up"
COURSE_AIMS: Final = "What the client wishes for"
COURSE_REGIONS: Final = "Usually treated"
COURSE_PLAN: Final = "Plan of this course"
COURSE_NEXT: Final = "Plan another course"
COURSE_END: Final = "End this course"
COURSE_REOPEN: Final = "Go on with this course"
COURSE_BASELINES: Final = "Sessions before the treatment that all others are compared with"
COURSE_BASELINES_HELP: Final = (
    "None chosen: the first session. Two or more calm days before the treatment tell how much "
    "this skin changes by itself."
)
COURSE_BASELINES_NONE: Final = "The first session"
COURSE_FOLLOW_UP_NONE: Final = "0: no follow-up."
COURSE_CHOOSE: Final = "Course"
COURSE_NAME: Final = "Course from {date}"
SESSION_NEW: Final = "New session"
SESSION_DATE: Final = "Date"
SESSION_TITLE: Final = "Session of {date}"
SESSION_EMPTY: Final = "No sessions yet. The first one is the baseline: photograph before treating."
STEP_PHOTOS: Final = "1. Photograph before the needles"
STEP_PHOTOS_TEXT: Final = (
    "Clean skin, hair back, the same place and lamp as last time. Front first, then both sides."
)
STEP_SKIN: Final = "2. Skin today"
STEP_TREATMENT: Final = "3. What you do"
SKIN_STATE: Final = "The skin on the photos is"
SKIN_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "clean": "clean",
        "make_up": "with make-up",
        "just_treated": "just treated",
        "unknown": "not noted",
    }
)
REGIONS_TREATED: Final = "Treated regions"
POINTS_USED: Final = "Points and devices"
POINTS_HELP: Final = "One per line, as: ST 36 | cheeks | 5 mm"
NOTES: Final = "Notes"
ADVERSE: Final = "Adverse events"
CONTRAINDICATIONS: Final = "Contraindications were checked"
SHARED: Final = "The client may see the photos of this session"
PHOTOS_ADD: Final = "Add photos"
PHOTOS_NONE: Final = "No photos yet."

# The camera

CAMERA_USE: Final = "Use this device's camera"
CAMERA_PHOTO: Final = "Camera, {view}"
CAMERA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stage": "Picture of the camera",
        "views": "View",
        "taken": "taken",
        "take": "Take the photo",
        "other": "Other camera",
        "start": "Start the camera",
        "ghost": "Show the first photo over the picture",
        "outline": "Show the outline over the picture",
        "ghost_alt": "The first photo of this view, laid over the picture of the camera",
        "strength": "Strength",
        "same": (
            "Take all sessions of a course with one camera, and in one way: what another camera "
            "shows of the skin is not compared."
        ),
        "starting": "Starting the camera …",
        "looking": "Looking …",
        "good": "Good: take it",
        "still": "Hold still",
        "taking": "Taking the photo. Hold still …",
        "sent": "Taken. It is measured now; the result is below.",
        "insecure": (
            "Browsers give the camera to HTTPS addresses only. Open this page by https://, or take "
            "the photo with the device's own camera and add it above."
        ),
        "unable": (
            "This browser gives no camera to pages. Take the photo with the device's own camera "
            "and add it above."
        ),
        "refused": (
            "The camera is not allowed for this page. Allow it in the browser's settings for this "
            "address and start again, or add a photo above."
        ),
        "none": "No camera was found. Connect one and start again, or add a photo above.",
        "busy": (
            "The camera does not answer; another program may be using it. Close that and start "
            "again, or add a photo above."
        ),
        "ended": "The camera has stopped. Start it again, or add a photo above.",
        "idle": "The camera was switched off because no photo was taken for a while.",
        "late": "The hints are late: the server is busy.",
        "blind": "No hints right now. Go by the picture laid over, or add a photo above.",
        "unreadable": "The picture of the camera could not be read.",
        "stale": "This page is too old. Load it again; nothing was lost.",
        "out": "You are not signed in any more. Load the page again.",
        "gone": "This session cannot take photos from you.",
        "large": "The photo is too large. Take it with the device's own camera and add it above.",
        "wait": "Earlier photos are still being measured. Try again in a moment.",
        "failed": "This does not work right now. Try again, or add a photo above.",
    }
)
#: By name of a `skinscan.quality.guidance.Hint`.
CAMERA_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no_face": "No face seen: point the camera at the face, in even light.",
        "several_faces": "Several faces: only the client should be in the picture.",
        "whole_face": "Bring the whole face into the picture.",
        "closer": "Move closer.",
        "further_back": "Move further back.",
        "turn_left": "Turn the head to the client's left.",
        "turn_right": "Turn the head to the client's right.",
        "chin_up": "Chin up a little.",
        "chin_down": "Chin down a little.",
        "tilt_left": "Tilt the head to the client's left.",
        "tilt_right": "Tilt the head to the client's right.",
        "coarse": "This camera shows too little detail for fine lines: better add photos above.",
        "eyes": "Eyes open.",
        "relax": "Relax the face: lips closed, no smile, brows at rest.",
        "glasses": "Take the glasses off.",
        "clear": "Clear hair and hands from the face.",
        "light_left": "More light from the client's left than in the first photo.",
        "light_right": "More light from the client's right than in the first photo.",
        "light_above": "The light comes from further above than in the first photo.",
        "light_below": "The light comes from further below than in the first photo.",
        "brighter": "Darker than the first photo: more light.",
        "darker": "Brighter than the first photo: less light.",
    }
)
#: Where there is no first photo to compare with.
CAMERA_HINTS_ALONE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "light_left": "The light comes from the client's left: turn the chair to face it.",
        "light_right": "The light comes from the client's right: turn the chair to face it.",
        "brighter": "Too dark: more light.",
        "darker": "Too bright: less light.",
    }
)

# Photos of a session
PHOTO_MEASURING: Final = "Measuring photo {number} of {count} …"
PHOTO_CHECK: Final = "Look at these before you go on"
PHOTO_RETAKE: Final = "Leave it out and take it again"
PHOTO_KEEP: Final = "Keep it all the same"
PHOTO_TOO_MANY: Final = (
    "So many photos wait already that this one was not taken. Add it again when they are measured."
)
PHOTO_KNOWN: Final = "This picture is kept already, in a session of this client."
PHOTO_VIEW: Final = "View and session of a photo"
PHOTO_SESSION: Final = "Session"
PHOTO_REMOVE: Final = "Remove this photo"
PHOTO_RESCORE: Final = "Measure again"
PHOTO_FULL: Final = "Open in full size"
SESSION_REMOVE: Final = "Remove this session"
SESSION_OPEN: Final = "Open"
SESSION_LINE: Final = "{date} · photos: {count}"
RESULT_TITLE: Final = "Result"
RESULT_BASELINE: Final = "This is the baseline: changes are seen from the next session on."
RESULT_LATER: Final = "The result comes when every photo above is measured and decided on."
TREATMENTS_TITLE: Final = "Other treatments and events"
TREATMENTS_NONE: Final = "None noted."
TREATMENT_KIND: Final = "What"
TREATMENT_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "injection": "Injection",
        "filler": "Filler",
        "laser": "Laser",
        "peel": "Peel",
        "retinoid": "Retinoid begun or stopped",
        "illness": "Illness",
        "sun": "Much sun",
    }
)
TREATMENT_REMOVE: Final = "Remove this entry"
TREATMENT_ADD: Final = "Note it"

# What the client tells

REPORT_TITLE: Final = "How are you?"
REPORT_TEXT: Final = "Best before the session. Your practice sees your answers."
REPORT_NONE: Final = "There is no session yet."
REPORT_SESSION: Final = "Session"
GAIS: Final[Mapping[int, str]] = MappingProxyType(
    {
        3: "very much improved",
        2: "much improved",
        1: "improved",
        0: "no change",
        -1: "worse",
    }
)
GAIS_LABEL: Final = "Compared with before the course, my skin is"
GAIS_NOT_SAID: Final = "not said"
RELAXATION: Final = "How relaxed do you feel? (0 not at all, 10 completely)"
STRESS: Final = "How much stress have you had? (0 none, 10 very much)"
SLEEP: Final = "Hours of sleep a night"
WATER: Final = "Litres of water a day"
DIET: Final = "Anything unusual in what you eat"
EXERCISE: Final = "Exercise"
SKINCARE: Final = "Skincare"
SUN: Final = "Sun"
RATINGS_TITLE: Final = "In the client's own words"
RATINGS_TITLE_OWN: Final = "How you rated it"
RATINGS_HEAD: Final = ("Session", "Result", "Relaxation", "Stress")
PHOTOS_NOT_SHARED: Final = "Your practice has not shared photos with you yet."
REPORT_PDF: Final = "Download as PDF"
PROGRESS_NOTHING: Final = (
    "Nothing was measured yet. After your first two sessions you see here what has changed."
)
PROGRESS_NOTHING_STAFF: Final = (
    "Nothing to compare yet: photographs of two sessions are needed. Begin with a new session."
)

# The client's data

DATA_TITLE: Final = "Your data"
DATA_EXPORT: Final = "Download everything"
DATA_EXPORT_TEXT: Final = (
    "A ZIP file with what was noted, measured and photographed, as far as it is shared with you."
)
DATA_ERASE: Final = "Ask for erasure"
DATA_ERASE_TEXT: Final = (
    "Your practice erases your photos, notes and results. This cannot be undone."
)
DATA_ERASE_ASKED: Final = "You have asked for erasure on {date}."
DATA_CONSENT_TEXT: Final = (
    "You can withdraw a consent at any time. Without the first one nothing new is measured."
)

# The practice

PRACTICE_TITLE: Final = "Practice"
STAFF_TITLE: Final = "People who work here"
STAFF_INVITE: Final = "Invite somebody"
STAFF_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"owner": "Owner", "practitioner": "Practitioner", "client": "Client"}
)
STAFF_DISABLE: Final = "Disable"
STAFF_ENABLE: Final = "Enable"
STAFF_DISABLED: Final = "disabled"
STAFF_INVITE_LINK: Final = "Give this link to them. It works once and is not shown again."
SETTINGS_TITLE: Final = "Settings"
SETTINGS_NAME: Final = "Name of the practice"
SETTINGS_ZONE: Final = "Time zone"
SETTINGS_OWN: Final = "Practitioners see only their own clients"
SETTINGS_KEEP: Final = (
    "Clients are due for erasure so many years after their last session (0: never)"
)
LOGO_TITLE: Final = "Logo"
LOGO_TEXT: Final = (
    "On reports, on top of every page, and on the page where people sign in: everybody who opens "
    "that page sees it."
)
LOGO_UPLOAD: Final = "PNG, JPEG or WebP, at most 2 MB"
LOGO_REMOVE: Final = "Remove the logo"
RETENTION_TITLE: Final = "Due for erasure"
RETENTION_SHOW: Final = "Show who is due"
RETENTION_NONE: Final = "Nobody is due."
RETENTION_LINE: Final = "{name}, last session {date}"
ERASURE_TITLE: Final = "Erase"
ERASURE_ASK: Final = "Type the client's name to erase them for ever"
ERASURE_BUTTON: Final = "Erase for ever"
ERASURE_DONE: Final = "Erased: {rows} entries and {objects} files."
ERASURE_OTHER: Final = "Not the same name: nothing was erased."
HEALTH_TITLE: Final = "Storage"
HEALTH_GOOD: Final = "All is well."
HEALTH_CHECK: Final = "Check everything now"
HEALTH_BACKUP: Final = "Last backup: {date}."
HEALTH_NO_BACKUP: Final = "There is no backup yet. On the machine: skinscan backup FOLDER."
AUDIT_TITLE: Final = "Audit trail"
AUDIT_HEAD: Final = ("No.", "When", "What", "Who", "Whom")
AUDIT_CAPTION: Final = "Newest first. Clients stand here by identifier, never by name."
#: By the action that a line of the trail names.
AUDIT_ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "practice.created": "Practice set up",
        "settings.changed": "Settings changed",
        "client.added": "Client added",
        "client.changed": "Client changed",
        "client.archived": "Client archived",
        "client.unarchived": "Client taken out of the archive",
        "client.exported": "Client's data downloaded",
        "client.erased": "Client erased",
        "client.deletion_asked": "Erasure asked for",
        "consent.given": "Consent given",
        "consent.withdrawn": "Consent withdrawn",
        "course.changed": "Course changed",
        "session.changed": "Session changed",
        "session.removed": "Session removed",
        "session.shared": "Photos shared with the client",
        "session.unshared": "Photos no longer shared",
        "treatment.changed": "Other treatment changed",
        "photo.added": "Photo added",
        "photo.viewed": "Photo viewed",
        "photo.changed": "Photo changed",
        "photo.removed": "Photo removed",
        "batch.started": "Batch run started",
        "batch.downloaded": "Batch table downloaded",
        "denied": "Refused: not allowed",
        "backup.made": "Backup made",
        "backup.restored": "Backup restored",
        "key.rotated": "Key renewed",
        "recovery.proven": "Recovery key tried out",
        "litter.swept": "Left-over files removed",
        "account.signed_in": "Signed in",
        "account.sign_in_refused": "Sign-in refused",
        "account.sign_in_paused": "Sign-in paused: too many attempts",
        "account.signed_out": "Signed out",
        "account.logins_ended": "Signed out elsewhere",
        "account.set_up_issued": "Code for the set-up made",
        "account.invited": "Invitation made",
        "account.invitation_withdrawn": "Invitation withdrawn",
        "account.created": "Account made",
        "account.reset_issued": "New password link made",
        "account.password_reset": "Password renewed by link",
        "account.password_changed": "Password changed",
        "account.totp_on": "One-time passwords turned on",
        "account.totp_off": "One-time passwords turned off",
        "account.disabled": "Account disabled",
        "account.enabled": "Account enabled",
    }
)
AUDIT_CHECK: Final = "Check every line"
AUDIT_UNCHECKED: Final = "Not checked since you signed in."
AUDIT_CHECKED: Final = "Checked {at}."
AUDIT_INTACT: Final = "{count} lines, all intact."

# My account

ACCOUNT_TITLE: Final = "My account"
PASSWORD_CHANGE: Final = "Change the password"  # noqa: S105 - a label
PASSWORD_OLD: Final = "Old password"  # noqa: S105 - a label
PASSWORD_NEW: Final = "New password"  # noqa: S105 - a label
PASSWORD_OLD_WRONG: Final = "The old password is not right."  # noqa: S105 - a sentence
PASSWORD_CHANGED: Final = "The password is changed. Sign in with it on your other devices."  # noqa: S105
TOTP_TITLE: Final = "One-time passwords"
TOTP_ON: Final = "On. Signing in asks for a code."
TOTP_OFF: Final = "Off."
TOTP_BEGIN: Final = "Turn on"
TOTP_END: Final = "Turn off"
TOTP_TEXT: Final = "Scan this with an authenticator app, then type the code that it shows."
TOTP_QR: Final = "QR code for an authenticator app; the secret below says the same."
TOTP_TYPED: Final = "Or type the secret into the app (time-based, 6 digits, 30 seconds):"
TOTP_CONFIRM: Final = "Confirm"
TOTP_WRONG: Final = "This code is not right. Type the one that the app shows now."
LOGINS_TITLE: Final = "Where you are signed in"
LOGINS_LINE: Final = "Since {begin}, last seen {seen}"
LOGINS_HERE: Final = "Here, since {begin}"
LOGINS_END: Final = "Sign out everywhere else"
