// The camera of this device, the first photo of a view laid over it, and what to change.
// Data: {session, header, token, views: [{name, title, ghost, taken}], outline, labels}.
// Small frames go to /camera/hint, the photo to /camera/shot; nothing else leaves the page.

const HINT_EVERY_MS = 400, BUSY_MS = 1500, LATE_MS = 6000, HINT_WAIT_MS = 60000, HINT_SIDE_PX = 480;
const IDLE_MS = 5 * 60 * 1000, SAID_MS = 3000, PHOTO_WAIT_MS = 6000;
// Grey codes by which two looks differ on average when somebody moves.
const STILL_SIDE_PX = 48, MOVED = 7;
// A photo is asked of the sensor where that gives more than the video does.
const BETTER = 1.1;
const REASONS = {
  NotAllowedError: 'refused', SecurityError: 'refused', NotFoundError: 'none',
  OverconstrainedError: 'none', NotReadableError: 'busy', AbortError: 'busy',
};
const REFUSALS = { 401: 'out', 403: 'stale', 404: 'gone', 413: 'large', 429: 'wait' };

const within = (promise, ms) => Promise.race([
  promise,
  new Promise((_, reject) => setTimeout(() => reject(new Error('late')), ms)),
]);

const encoded = (canvas, quality) =>
  new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));

// Photos of browsers name no camera; courses are compared within one camera only. The name goes
// where cameras write it: tag 0x0110 of EXIF.
export async function named(blob, camera) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 65536));
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || !camera || head.includes('Exif\0')) return blob;
  const name = new TextEncoder().encode(camera.slice(0, 80) + '\0');
  const padded = Math.max(name.length, 5);
  const segment = new Uint8Array(4 + 6 + 26 + padded);
  const view = new DataView(segment.buffer);
  view.setUint16(0, 0xffe1);
  view.setUint16(2, segment.length - 2);
  segment.set(new TextEncoder().encode('Exif\0\0II*\0'), 4);
  view.setUint32(14, 8, true);
  view.setUint16(18, 1, true);
  view.setUint16(20, 0x0110, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, padded, true);
  view.setUint32(28, 26, true);
  segment.set(name, 36);
  return new Blob([bytes.subarray(0, 2), segment, bytes.subarray(2)], { type: 'image/jpeg' });
}

function build(root) {
  const kept = {
    data: null, tell: null, view: null, stream: null, track: null, capture: null, photoPx: 0,
    wanted: { facingMode: { ideal: 'environment' } }, attempt: 0, timer: null, touched: 0,
    saidUntil: 0, shooting: false, last: null,
  };
  const video = element('video', { playsinline: true, muted: true, autoplay: true });
  video.muted = true;
  const ghost = element('img', { class: 'ghost', draggable: 'false' });
  const outline = element('div', { class: 'outline', 'aria-hidden': 'true' });
  const picture = element('div', { class: 'picture' }, video, ghost, outline);
  const said = element('div', { class: 'said plain', role: 'status', 'aria-live': 'polite' });
  const frame = element('div', { class: 'frame', role: 'group' }, picture, said);
  const views = element('fieldset');
  const take = element('button', { type: 'button', class: 'main', onclick: shoot });
  const start = element('button', { type: 'button', class: 'main', onclick: begin, hidden: true });
  const other = element('button', { type: 'button', onclick: turn, hidden: true });
  const tick = element('input', { type: 'checkbox', onchange: lay });
  tick.checked = true;
  const tickText = document.createTextNode('');
  const strength = element('input', { type: 'range', min: 5, max: 90, step: 5, oninput: lay });
  strength.value = 40;
  const strengthText = document.createTextNode('');
  const strengthBox = element('label', { class: 'tick' }, strengthText, strength);
  const over = element('div', { class: 'controls' },
    element('label', { class: 'tick' }, tick, tickText), strengthBox);
  const help = element('p', { class: 'help' });
  root.append(
    element('div', { class: 'controls' }, views),
    frame,
    element('div', { class: 'controls' }, take, start, other),
    over,
    help);
  const small = document.createElement('canvas'), tiny = document.createElement('canvas');
  tiny.width = tiny.height = STILL_SIDE_PX;
  for (const kind of ['pointerdown', 'keydown']) root.addEventListener(kind, touch);
  video.addEventListener('resize', lay);
  ghost.addEventListener('load', lay);

  function touch() { kept.touched = Date.now(); }
  const label = (name) => kept.data.labels[name] ?? '';
  const chosen = () => kept.data.views.find((view) => view.name === kept.view);

  function say(sentences, kind = 'plain') {
    const text = sentences.join('\n');
    if (said.textContent !== sentences.join('')) {
      said.replaceChildren(...text.split('\n').map((line) => element('p', { text: line })));
    }
    said.className = `said ${kind}`;
  }

  // By the rule of skinscan.quality.guidance.expected_scale_px_mm.
  function lay() {
    const width = video.videoWidth || 4, height = video.videoHeight || 3;
    frame.style.setProperty('--ratio', width / height);
    const { share, shape } = kept.data.outline;
    const tall = share * Math.min(height, width * shape);
    outline.style.height = `${100 * tall / height}%`;
    outline.style.width = `${100 * 0.76 * tall / width}%`;
    if (ghost.naturalWidth) {
      const [w, h] = [ghost.naturalWidth, ghost.naturalHeight];
      const factor = (width > height) === (w > h)
        ? Math.max(width, height) / Math.max(w, h)
        : Math.min(width / w, height / h);
      ghost.style.width = `${100 * w * factor / width}%`;
    }
    const first = Boolean(chosen().ghost);
    ghost.hidden = !first || !tick.checked || !kept.stream;
    outline.hidden = first || !tick.checked || !kept.stream;
    over.hidden = !kept.stream;
    ghost.style.opacity = strength.value / 100;
    // A line needs more than a picture to be seen.
    outline.style.opacity = Math.min(1, 0.3 + strength.value / 100);
    strength.disabled = !tick.checked;
    tickText.textContent = label(first ? 'ghost' : 'outline');
  }

  function choose(name) {
    kept.view = name;
    kept.last = null;
    const first = chosen().ghost;
    if (first && ghost.src !== first) ghost.src = first;
    ghost.alt = label('ghost_alt');
    lay();
  }

  function show(data, tell) {
    const fresh = kept.data === null;
    kept.data = data;
    kept.tell = tell;
    frame.setAttribute('aria-label', label('stage'));
    strengthText.textContent = label('strength');
    take.textContent = label('take');
    start.textContent = label('start');
    other.textContent = label('other');
    help.textContent = label('same');
    const missing = data.views.find((view) => !view.taken) ?? data.views[0];
    const name = kept.view ?? missing.name;
    views.replaceChildren(element('legend', { text: label('views') }), ...data.views.map((view) => {
      const box = element('input', {
        type: 'radio', name: 'skinscan-view', value: view.name, onchange: () => choose(view.name),
      });
      box.checked = view.name === name;
      const text = view.taken ? `${view.title} ✓ ${label('taken')}` : view.title;
      return element('label', { class: 'tick' }, box, text);
    }));
    choose(name);
    if (fresh) begin();
  }

  function stop() {
    kept.attempt += 1;
    clearTimeout(kept.timer);
    for (const track of kept.stream?.getTracks() ?? []) track.stop();
    kept.stream = kept.track = kept.capture = null;
    kept.photoPx = 0;
    video.srcObject = null;
    take.disabled = true;
  }

  function fail(reason) {
    stop();
    say([label(reason)]);
    start.hidden = false;
    take.hidden = other.hidden = true;
    lay();
  }

  async function begin() {
    stop();
    const attempt = kept.attempt;
    touch();
    start.hidden = true;
    take.hidden = false;
    say([label('starting')]);
    if (!window.isSecureContext) return fail('insecure');
    if (!navigator.mediaDevices?.getUserMedia) return fail('unable');
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: {
          ...kept.wanted, width: { ideal: 4096 }, height: { ideal: 3072 }, resizeMode: { ideal: 'none' },
        },
      });
    } catch (error) {
      if (attempt === kept.attempt) fail(REASONS[error.name] ?? 'failed');
      return;
    }
    if (attempt !== kept.attempt || !root.isConnected) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    kept.stream = stream;
    kept.track = stream.getVideoTracks()[0];
    kept.track.addEventListener('ended', () => { if (attempt === kept.attempt) fail('ended'); });
    video.srcObject = stream;
    await video.play().catch(() => {});
    await findBetter(kept.track);
    const cameras = (await navigator.mediaDevices.enumerateDevices())
      .filter((device) => device.kind === 'videoinput');
    if (attempt !== kept.attempt) return;
    other.hidden = cameras.length < 2;
    // As in a mirror, where one sees oneself; what is sent and kept is not turned.
    frame.classList.toggle('mirrored', kept.track.getSettings().facingMode === 'user');
    take.disabled = kept.shooting;
    lay();
    say([label('looking')]);
    look(attempt);
  }

  async function findBetter(track) {
    if (!window.ImageCapture) return;
    try {
      const capture = new ImageCapture(track);
      const { imageWidth, imageHeight } =
        await within(capture.getPhotoCapabilities(), PHOTO_WAIT_MS);
      const most = Math.max(imageWidth?.max ?? 0, imageHeight?.max ?? 0);
      if (most > BETTER * Math.max(video.videoWidth, video.videoHeight)) {
        kept.capture = () => capture.takePhoto(
          { imageWidth: imageWidth.max, imageHeight: imageHeight.max });
        kept.photoPx = most;
      }
    } catch {
      // Cameras that tell nothing of themselves give what their video shows.
    }
  }

  async function turn() {
    const { facingMode, deviceId } = kept.track?.getSettings() ?? {};
    if (facingMode) {
      kept.wanted = { facingMode: { ideal: facingMode === 'user' ? 'environment' : 'user' } };
    } else {
      const ids = (await navigator.mediaDevices.enumerateDevices())
        .filter((device) => device.kind === 'videoinput').map((device) => device.deviceId);
      kept.wanted = { deviceId: { exact: ids[(ids.indexOf(deviceId) + 1) % ids.length] } };
    }
    begin();
  }

  async function look(attempt) {
    if (attempt !== kept.attempt) return;
    if (!root.isConnected) return stop();
    if (Date.now() - kept.touched > IDLE_MS) return fail('idle');
    let pause = HINT_EVERY_MS;
    if (!document.hidden && !kept.shooting && video.videoWidth) pause = await ask(attempt);
    if (attempt === kept.attempt) kept.timer = setTimeout(() => look(attempt), pause);
  }

  function hasMoved() {
    const context = tiny.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, tiny.width, tiny.height);
    const now = context.getImageData(0, 0, tiny.width, tiny.height).data;
    const before = kept.last;
    kept.last = now;
    if (!before) return false;
    let sum = 0;
    for (let k = 0; k < now.length; k += 4) sum += Math.abs(now[k + 1] - before[k + 1]);
    return sum / (now.length / 4) > MOVED;
  }

  // How long to wait before the next one.
  async function ask(attempt) {
    const factor = Math.min(1, HINT_SIDE_PX / Math.max(video.videoWidth, video.videoHeight));
    small.width = Math.round(video.videoWidth * factor);
    small.height = Math.round(video.videoHeight * factor);
    small.getContext('2d').drawImage(video, 0, 0, small.width, small.height);
    const moved = hasMoved();
    const view = kept.view;
    const shot = kept.photoPx || Math.max(video.videoWidth, video.videoHeight);
    const began = Date.now();
    const late = setTimeout(() => {
      if (attempt === kept.attempt && !kept.shooting) say([label('late')]);
    }, LATE_MS);
    let answer;
    try {
      answer = await send('hint', `view=${view}&shot=${shot}`, await encoded(small, 0.85),
        AbortSignal.timeout(HINT_WAIT_MS));
    } catch {
      answer = null;
    }
    clearTimeout(late);
    // A server that is slow is left alone for as long as it took.
    const pause = answer?.status === 429 ? BUSY_MS : Math.max(HINT_EVERY_MS, Date.now() - began);
    if (attempt !== kept.attempt || view !== kept.view || Date.now() < kept.saidUntil) return pause;
    if (answer?.ok) {
      const { said: sentences } = await answer.json();
      if (kept.shooting) return pause;
      if (sentences.length) say(sentences, 'look');
      else if (moved) say([label('still')], 'look');
      else say([label('good')], 'good');
    } else if (answer?.status === 401 || answer?.status === 403 || answer?.status === 404) {
      fail(REFUSALS[answer.status]);
    } else if (answer?.status !== 429) {
      say([label('blind')]);
    }
    return pause;
  }

  function send(what, query, body, signal) {
    return fetch(`/camera/${what}/${kept.data.session}?${query}`, {
      method: 'POST', body, signal, cache: 'no-store', credentials: 'same-origin',
      headers: { 'Content-Type': 'image/jpeg', [kept.data.header]: kept.data.token },
    });
  }

  async function shot() {
    if (kept.capture) {
      try {
        return await within(kept.capture(), PHOTO_WAIT_MS);
      } catch {
        // The sensor did not answer: the picture on the screen is what was meant.
      }
    }
    const whole = document.createElement('canvas');
    whole.width = video.videoWidth;
    whole.height = video.videoHeight;
    whole.getContext('2d').drawImage(video, 0, 0);
    // The highest quality is the only one that keeps the colour of every pixel.
    return encoded(whole, 1);
  }

  async function shoot() {
    if (!kept.stream || kept.shooting) return;
    kept.shooting = take.disabled = true;
    say([label('taking')]);
    let reason = 'failed';
    try {
      const photo = await named(await shot(), kept.track?.label);
      const answer = await send('shot', `view=${kept.view}`, photo);
      reason = answer.ok ? 'sent' : REFUSALS[answer.status] ?? 'failed';
    } catch {
      reason = 'failed';
    }
    kept.shooting = false;
    kept.saidUntil = Date.now() + SAID_MS;
    if (reason === 'out' || reason === 'stale' || reason === 'gone') return fail(reason);
    say([label(reason)], reason === 'sent' ? 'good' : 'look');
    take.disabled = !kept.stream;
    if (reason === 'sent') kept.tell('shot', Date.now());
  }

  return { show, stop };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.camera');
  root.skinscan ??= build(root);
  root.skinscan.show(data, setTriggerValue);
  return () => {
    root.skinscan.stop();
    root.replaceChildren();
    root.skinscan = null;
  };
}
