// Two photos of one face in one frame, all of a course one after another, or a single picture.
// Data: {frame: [w, h], photos: [{title, plain, lines, matrix, alt}], mode, side, labels}.
// Every photo arrives as a data URI with the affine map from its px to those of the frame.

const STEP = 1.25, LARGEST = 8, PAN_PX = 40, FRAME_MS = 1000;

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.viewer') ?? parentElement;
  const kept = root.skinscan ?? (root.skinscan = {
    zoom: 1, x: 0, y: 0, split: 50, shown: 0, lines: false,
  });
  clearInterval(kept.playing);
  kept.playing = null;
  root.replaceChildren();
  const { frame: [width, height], photos, labels } = data;
  const course = data.mode === 'course', pair = data.mode === 'pair';
  const side = pair && data.side;
  if (kept.shown >= photos.length) kept.shown = 0;

  const picture = (photo) => {
    const image = element('img', { alt: photo.alt, draggable: 'false' });
    image.style.transform = `matrix(${photo.matrix.join(',')})`;
    const layer = element('div', { class: 'layer' }, image);
    const pane = element('div', { class: 'pane' }, layer);
    return { photo, image, layer, pane };
  };
  const panes = photos.map(picture);
  const stage = element('div', {
    class: 'stage', tabindex: '0', role: 'group', 'aria-label': labels.stage,
  });
  stage.style.setProperty('--shape', `${width} / ${height}`);
  const divider = element('div', { class: 'divider', 'aria-hidden': 'true' });
  panes.forEach((pane) => {
    if (pane.photo.title) {
      pane.pane.append(element('span', { class: 'title', text: pane.photo.title }));
    }
  });

  const scaleOf = (pane) => pane.pane.clientWidth / width;
  function draw() {
    stage.classList.toggle('side', side);
    stage.classList.toggle('slider', pair && !side);
    panes.forEach((pane, k) => {
      const source = kept.lines && pane.photo.lines ? pane.photo.lines : pane.photo.plain;
      if (pane.image.src !== source) pane.image.src = source;
      const scale = scaleOf(pane) * kept.zoom;
      pane.layer.style.transform =
        `translate(${kept.x * scaleOf(pane)}px, ${kept.y * scaleOf(pane)}px) scale(${scale})`;
      pane.pane.hidden = course && k !== kept.shown;
      pane.pane.style.clipPath = '';
    });
    if (pair && !side) {
      panes[1].pane.style.clipPath = `inset(0 0 0 ${kept.split}%)`;
      divider.style.left = `${kept.split}%`;
    }
    divider.hidden = !pair || side;
  }
  // No edge of the photo comes inside its frame.
  function place() {
    kept.zoom = Math.min(LARGEST, Math.max(1, kept.zoom));
    kept.x = Math.min(0, Math.max(width * (1 - kept.zoom), kept.x));
    kept.y = Math.min(0, Math.max(height * (1 - kept.zoom), kept.y));
    draw();
  }
  function zoomBy(factor, at = [width / 2, height / 2]) {
    const before = kept.zoom;
    kept.zoom = Math.min(LARGEST, Math.max(1, before * factor));
    const grown = kept.zoom / before;
    kept.x = at[0] - (at[0] - kept.x) * grown;
    kept.y = at[1] - (at[1] - kept.y) * grown;
    place();
  }

  const range = (label, attributes, value, changed) => {
    const input = element('input', { type: 'range', 'aria-label': label, ...attributes });
    input.value = value;
    input.addEventListener('input', () => changed(Number(input.value)));
    return input;
  };
  const button = (text, label, pressed) =>
    element('button', { type: 'button', 'aria-label': label, title: label, text, onclick: pressed });

  const slider = course
    ? range(labels.session, { min: 0, max: photos.length - 1, step: 1 }, kept.shown, (value) => {
        kept.shown = value;
        tell();
        draw();
      })
    : range(labels.slider, { min: 0, max: 100, step: 1 }, kept.split, (value) => {
        kept.split = value;
        draw();
      });
  const tell = () => {
    if (course) slider.setAttribute('aria-valuetext', photos[kept.shown].title);
  };
  tell();
  slider.hidden = !course && (!pair || side);

  const controls = element('div', { class: 'controls' });
  if (course) {
    const play = button('▶', labels.play, () => {
      if (kept.playing) {
        clearInterval(kept.playing);
        kept.playing = null;
      } else {
        kept.playing = setInterval(() => {
          if (!root.isConnected) return clearInterval(kept.playing);
          kept.shown = (kept.shown + 1) % photos.length;
          slider.value = kept.shown;
          tell();
          draw();
        }, FRAME_MS);
      }
      play.textContent = kept.playing ? '❚❚' : '▶';
      play.setAttribute('aria-label', kept.playing ? labels.pause : labels.play);
      play.title = kept.playing ? labels.pause : labels.play;
    });
    controls.append(play);
  }
  if (photos.some((photo) => photo.lines)) {
    const lines = element('label', { class: 'tick' });
    const tick = element('input', { type: 'checkbox' });
    tick.checked = kept.lines;
    tick.addEventListener('change', () => {
      kept.lines = tick.checked;
      draw();
    });
    lines.append(tick, labels.lines);
    controls.append(lines);
  }
  controls.append(element('span', { class: 'zoom' },
    button('−', labels.smaller, () => zoomBy(1 / STEP)),
    button('+', labels.larger, () => zoomBy(STEP)),
    button('⟲', labels.whole, () => {
      Object.assign(kept, { zoom: 1, x: 0, y: 0 });
      draw();
    })));

  stage.addEventListener('keydown', (event) => {
    const pan = PAN_PX * (width / stage.clientWidth);
    const moves = { ArrowLeft: [pan, 0], ArrowRight: [-pan, 0], ArrowUp: [0, pan], ArrowDown: [0, -pan] };
    if (moves[event.key] && kept.zoom > 1) {
      kept.x += moves[event.key][0];
      kept.y += moves[event.key][1];
      place();
    } else if (event.key === '+' || event.key === '=') zoomBy(STEP);
    else if (event.key === '-') zoomBy(1 / STEP);
    else return;
    event.preventDefault();
  });
  // Dragging moves the edge between the photos; where they are enlarged, the photos themselves.
  let dragged = null;
  stage.addEventListener('pointerdown', (event) => {
    dragged = [event.clientX, event.clientY];
    stage.setPointerCapture(event.pointerId);
    if (kept.zoom === 1) moveEdge(event);
  });
  stage.addEventListener('pointermove', (event) => {
    if (!dragged) return;
    if (kept.zoom === 1) return moveEdge(event);
    const scale = scaleOf(panes[course ? kept.shown : 0]);
    kept.x += (event.clientX - dragged[0]) / scale;
    kept.y += (event.clientY - dragged[1]) / scale;
    dragged = [event.clientX, event.clientY];
    place();
  });
  for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, () => { dragged = null; });
  function moveEdge(event) {
    if (!pair || side) return;
    const box = stage.getBoundingClientRect();
    kept.split = Math.round(Math.min(100, Math.max(0, 100 * (event.clientX - box.left) / box.width)));
    slider.value = kept.split;
    draw();
  }

  stage.append(...panes.map((pane) => pane.pane), divider);
  root.append(stage, slider, controls);
  draw();
  const watcher = new ResizeObserver(draw);
  watcher.observe(stage);
  return () => {
    watcher.disconnect();
    clearInterval(kept.playing);
  };
}
