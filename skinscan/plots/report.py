"""A course as one HTML page that holds all it shows: no script, and nothing loaded from outside."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from skinscan.flags import sentences
from skinscan.metrics import metric
from skinscan.plots.changemap import change_map, described
from skinscan.plots.course import as_svg, course_chart
from skinscan.plots.lettering import RGB, encoded
from skinscan.plots.numbers import cells, place_title, tabulated
from skinscan.plots.regions import region_changes, regions_chart
from skinscan.progress import Change, Progress, Scope, Verdict, words
from skinscan.progress.locales import Locale
from skinscan.progress.locales import locale as locale_of

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 3rem; color: #222222;
  background: #ffffff; font: 1rem/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 0.5rem; }
p, li { max-width: 46rem; }
ul { padding-left: 1.2rem; }
.grid { display: grid; gap: 1.5rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
figure { margin: 0; min-width: 0; }
figure img { display: block; max-width: 100%; height: auto; }
figure.map img { max-width: min(100%, 30rem); }
figcaption { font-size: 0.9rem; color: #444444; margin-top: 0.4rem; }
.scroll { overflow-x: auto; }
summary { cursor: pointer; font-size: 0.95rem; margin: 0.5rem 0; }
details .scroll img { max-width: none; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: 46rem; }
th, td { text-align: left; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid #dddddd;
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.claimed { font-weight: 600; }
.note { border-left: 4px solid #0072b2; padding: 0.25rem 0 0.25rem 1rem; }
@media print { figure, tr { break-inside: avoid; } .scroll { overflow: visible; } }
"""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture for the report.

    Attributes
    ----------
    title : str
    alt : str
        What it shows, for those who cannot see it.
    rgb : ndarray of uint8, shape (H, W, 3)
        sRGB.
    """

    title: str
    alt: str
    rgb: RGB


def mapped_metrics(progress: Progress) -> list[str]:
    """Metrics that speak for a concern and have a claim in a single region."""
    claimed = {c.metric for c in progress.changes if c.scope is Scope.REGION and c.verdict.claimed}
    leading = [item.leading.metric for item in progress.concerns]
    return [name for name in dict.fromkeys(leading) if name in claimed]


def _image(rgb: RGB, alt: str, suffix: str) -> str:
    kind = {".png": "png", ".jpg": "jpeg"}[suffix]
    data = base64.b64encode(encoded(rgb, suffix)).decode("ascii")
    height, width = rgb.shape[:2]
    return (
        f'<img alt="{escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/{kind};base64,{data}">'
    )


def _vector(svg: str, alt: str) -> str:
    """Hold a chart as a picture of its own, so that names inside it cannot clash."""
    data = base64.b64encode(svg.encode()).decode("ascii")
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def _figure(content: str, caption: str, *, kind: str = "") -> str:
    opened = f'<figure class="{kind}">' if kind else "<figure>"
    return f"{opened}{content}<figcaption>{_text(caption)}</figcaption></figure>"


def _text(text: str) -> str:
    """Escape a text, and keep per cent at their number."""
    return escape(text).replace(" %", "\u00a0%")


def _listed(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(text)}</li>" for text in texts) + "</ul>"


def _section(title: str, *content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>"


def _charts(progress: Progress, locale: str) -> str:
    figures = []
    for item in progress.concerns:
        chart = course_chart(progress, item.leading, locale=locale)
        caption = words.REPORT_CAPTION.format(
            concern=words.CONCERNS[item.concern], verdict=words.VERDICTS[item.leading.verdict]
        )
        if item.verdict is not item.leading.verdict:
            caption = words.REPORT_CAPTION_APART.format(
                concern=words.CONCERNS[item.concern],
                verdict=words.VERDICTS[item.leading.verdict],
                whole=words.VERDICTS[item.verdict],
            )
        drawn = _figure(_vector(as_svg(chart), str(chart.description)), caption)
        figures.append(f"<div>{drawn}{_regions(progress, item.leading.metric, locale)}</div>")
    grid = f'<div class="grid">{"".join(figures)}</div>'
    return _section(words.REPORT_COURSE, f"<p>{escape(words.CHART_NOTE)}</p>", grid)


def _regions(progress: Progress, name: str, locale: str) -> str:
    """Fold the single regions away, where there is more than one."""
    if len(region_changes(progress, name)) < 2:
        return ""
    chart = regions_chart(progress, name, locale=locale)
    drawn = _vector(as_svg(chart), str(chart.description))
    summary = f"<summary>{escape(words.REPORT_REGIONS)}</summary>"
    return f'<details>{summary}<div class="scroll" tabindex="0">{drawn}</div></details>'


def _events(progress: Progress, locale: Locale) -> str:
    """List what else may have changed the skin, with what somebody noted beside it."""
    if not progress.events or not progress.dated:
        return ""
    lines = [
        words.REPORT_EVENT.format(date=locale.date(e.on), kind=words.EVENT_NAMES[e.kind])
        + (f" – {e.note}" if e.note else "")
        for e in progress.events
    ]
    return _section(words.REPORT_EVENTS, _listed(lines))


def _maps(progress: Progress, locale: str) -> str:
    names = mapped_metrics(progress)
    if not names:
        return _section(words.REPORT_WHERE, f"<p>{escape(words.REPORT_NO_MAP)}</p>")
    figures = [
        _figure(
            _image(
                change_map(progress, name, locale=locale),
                described(progress, name, locale=locale),
                ".png",
            ),
            words.REPORT_MAP.format(subject=words.words_of(name).subject),
            kind="map",
        )
        for name in names
    ]
    return _section(words.REPORT_WHERE, f'<div class="grid">{"".join(figures)}</div>')


def _photos(pictures: Sequence[Picture], motion: bytes | None, remarks: Sequence[str]) -> str:
    if not pictures and motion is None and not remarks:
        return ""
    figures = [_figure(_image(p.rgb, p.alt, ".jpg"), p.title) for p in pictures]
    figures += [f"<p>{_text(remark)}</p>" for remark in remarks]
    if motion is not None:
        # Folded away: nothing moves until somebody asks for it.
        data = base64.b64encode(motion).decode("ascii")
        figures.append(
            f"<details><summary>{escape(words.REPORT_MOTION)}</summary>"
            f'<img alt="{escape(words.REPORT_MOTION_ALT)}" loading="lazy" '
            f'src="data:image/webp;base64,{data}"></details>'
        )
    return _section(words.REPORT_PHOTOS, *figures)


def _row(change: Change, locale: Locale) -> str:
    before, size, interval, sdc = (escape(text) for text in cells(change, locale))
    verdict = words.VERDICTS[change.verdict]
    if change.verdict is Verdict.NOT_COMPARABLE:
        verdict = f"{verdict}: {locale.sentence(change.reasons[0].sentence)}"
    kind = ' class="claimed"' if change.verdict.claimed else ""
    return (
        f'<tr><th scope="row">{escape(metric(change.metric).title)}</th>'
        f"<td>{escape(place_title(change))}</td>"
        f'<td class="n">{before}</td><td class="n">{size}</td><td class="n">{interval}</td>'
        f'<td class="n">{sdc}</td><td{kind}>{escape(verdict)}</td></tr>'
    )


def _table(progress: Progress, locale: Locale) -> str:
    """Tabulate the whole face, declared regions, and parts of the face with a claim."""
    shown = [change for change in progress.changes if tabulated(change)]
    rows = "".join(_row(change, locale) for change in shown)
    numeric = (False, False, True, True, True, True, False)
    heads = "".join(
        f'<th scope="col"{" class=n" if right else ""}>{escape(head)}</th>'
        for head, right in zip(words.REPORT_HEADS, numeric, strict=True)
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    label = escape(words.REPORT_NUMBERS)
    scrolled = f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div>'
    note = f"<p>{escape(words.REPORT_NUMBERS_NOTE)}</p>"
    return _section(words.REPORT_NUMBERS, note, scrolled)


def _differences(progress: Progress, locale: Locale) -> Iterator[str]:
    """Say per session what differed between the photos, for the measures that are charted."""
    for on in progress.sessions:
        found: dict[str, list[str]] = {}
        for item in progress.concerns:
            change = item.leading
            own = metric(change.metric).flags
            for point in change.points:
                if point.on == on:
                    why = [r.sentence for r in point.reasons] + sentences(point.flags & ~own)
                    for sentence in why:
                        found.setdefault(sentence, []).append(words.CONCERNS[item.concern].lower())
        which = locale.date(on) if progress.dated else ""
        if not progress.dated:
            which = words.BEFORE if on == progress.sessions[0] else words.AFTER
        for sentence, concerns in found.items():
            yield words.REPORT_DIFFERENCE.format(
                when=which, sentence=locale.sentence(sentence), concerns=", ".join(concerns)
            )


def report(
    progress: Progress,
    *,
    locale: str = "en-GB",
    pictures: Sequence[Picture] = (),
    motion: bytes | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """Write the report of a course.

    Parameters
    ----------
    progress : Progress
    locale : str
        How dates and numbers are written, a name in `skinscan.progress.locales.LOCALES`.
    pictures : sequence of Picture
        Of the photos themselves, where they are at hand. The page then shows a face: keep it as
        carefully as the photos.
    motion : bytes, optional
        The course as an animated WebP, `timelapse`.
    remarks : sequence of str
        Said below the photos: what could not be shown, and why.

    Returns
    -------
    str
        HTML, complete in itself.
    """
    written = locale_of(locale)
    title, counted = words.REPORT_TITLE_PAIR, words.REPORT_PAIR
    if progress.dated:
        counted = words.REPORT_SESSIONS.format(count=len(progress.sessions))
        first, last = progress.sessions[0], progress.sessions[-1]
        title = words.REPORT_TITLE.format(first=written.date(first), last=written.date(last))
    differences = list(_differences(progress, written)) or [words.NO_DIFFERENCES]
    body = "".join(
        (
            f"<h1>{escape(title)}</h1>",
            f"<p>{escape(counted)}</p>",
            _section(words.REPORT_IN_SHORT, _listed(progress.summary(locale=locale))),
            _charts(progress, locale),
            _events(progress, written),
            _maps(progress, locale),
            _photos(pictures, motion, remarks),
            _table(progress, written),
            _section(words.REPORT_DIFFERENCES, _listed(differences)),
            _section(words.REPORT_METHOD_TITLE, _listed(words.METHOD)),
            f'<p class="note">{escape(words.DISCLAIMER)}</p>',
        )
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{written.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )
