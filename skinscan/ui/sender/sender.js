// Photos from this device to the server, one after another.
// Data: {address, headers, nameHeader, labels, mostMb, accepted}. A reload begins anew; what has
// arrived stays there, and is recognised when it is sent again.

const MOST_NAMED = 100;

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.sender') ?? parentElement;
  const kept = root.skinscan ?? (root.skinscan = { busy: false, refused: [], sent: 0 });
  kept.data = data;
  kept.gone = false;
  kept.done = setTriggerValue;
  if (!kept.busy) draw();
  return () => { kept.gone = true; };

  function draw() {
    const { labels } = kept.data;
    root.replaceChildren();
    if (kept.busy) {
      const { number, count } = kept.busy;
      root.append(
        element('progress', { max: count, value: number - 1, 'aria-label': labels.files }),
        element('p', { role: 'status', text: filled(labels.sending, { number, count }) }),
        element('p', { text: labels.stay }),
      );
      return;
    }
    const input = (name, more) => element('input', {
      type: 'file', multiple: true, onchange: (event) => send([...event.target.files]), ...more,
    });
    const choices = [element('label', { text: labels.files },
      input('files', { accept: kept.data.accepted }))];
    if ('webkitdirectory' in HTMLInputElement.prototype) {
      choices.push(element('label', { text: labels.folder },
        input('folder', { webkitdirectory: true })));
    }
    root.append(element('div', { class: 'choose' }, ...choices));
    if (kept.sent) root.append(
      element('p', { role: 'status', text: filled(labels.sent, { count: kept.sent }) }));
    if (kept.refused.length) {
      const shown = kept.refused.slice(0, MOST_NAMED);
      root.append(
        element('p', { role: 'alert', text: filled(labels.refused, { count: kept.refused.length }) }),
        element('ul', { tabindex: '0' },
          ...shown.map(([name, why]) => element('li', { text: `${name}: ${why}` }))),
      );
    }
  }

  async function send(chosen) {
    const { accepted, labels, mostMb } = kept.data;
    // A folder brings whatever lies in it, and hidden files of the system.
    const files = chosen.filter((file) => !file.webkitRelativePath
      || (!file.name.startsWith('.')
        && accepted.split(',').some((ending) => file.name.toLowerCase().endsWith(ending))));
    if (kept.busy || !files.length) return;
    kept.refused = [];
    kept.sent = 0;
    for (const [k, file] of files.entries()) {
      if (kept.gone) break;
      kept.busy = { number: k + 1, count: files.length };
      draw();
      const name = file.webkitRelativePath || file.name;
      const why = file.size > mostMb * 2 ** 20
        ? filled(labels.large, { size: mostMb }) : await put(name, file);
      if (why) kept.refused.push([name, why]);
      else kept.sent += 1;
    }
    kept.busy = false;
    draw();
    if (!kept.gone) kept.done('sent', kept.sent);
  }

  async function put(name, file) {
    const { address, headers, nameHeader, labels } = kept.data;
    try {
      const answer = await fetch(address, {
        method: 'PUT',
        body: file,
        headers: { ...headers, [nameHeader]: encodeURIComponent(name) },
        credentials: 'same-origin',
        redirect: 'error',
      });
      return answer.ok ? '' : (await answer.text()).trim() || labels.lost;
    } catch {
      return labels.lost;
    }
  }
}
