// Keeps in words what else is only seen: a chart's name is its title and its values, a fold says whether it is open,
// and results are put into a polite live region once they have stood still.
const STILL = 1200; // milliseconds
const MOST = 600; // characters of an announcement
const region = element.querySelector('[data-said]');
const said = JSON.parse(region.dataset.said);
let count = 0;
const reader = document.createElement('template');
const words = (html) => {
  reader.innerHTML = String(html ?? '').replaceAll('<br>', ' ');
  return reader.content.textContent.replace(/\s+/g, ' ').trim();
};
// Bars carry their value as text; where there is none the labels of the rows hold it.
const inWords = ({ layout, data }) => {
  const labels = layout.yaxis?.ticktext;
  const series = data.filter((trace) => Array.isArray(trace.text) && trace.text.length).map((trace) => {
    const values = trace.text.map((text, i) => `${words(labels?.[trace.y?.[i]] ?? trace.x?.[i])} ${words(text)}`);
    return [words(trace.name), values.join('; ')].filter(Boolean).join(': ');
  });
  return [words(layout.title?.text), ...(series.length ? series : [labels?.map(words).join('; ')])].filter(Boolean).join('. ');
};
const set = (part, name, value) => {
  if (value && part.getAttribute(name) !== value) part.setAttribute(name, value);
};
const SCROLLED = '.wide, .said, .tokens-table, .read, .partings, .bubble, .written, .passage, .pieces, #inside-map, #decoding-tree';
const nameParts = () => {
  document.querySelectorAll('.js-plotly-plot').forEach((plot) => {
    if (!plot.layout || !plot.data) return;
    set(plot, 'role', 'img');
    set(plot, 'aria-label', inWords(plot));
  });
  document.querySelectorAll('button.label-wrap').forEach((fold) => {
    set(fold, 'aria-expanded', String(fold.classList.contains('open')));
  });
  // Where a chart is still to come Gradio draws a sign, named in English on a part that may have no name.
  document.querySelectorAll('.empty[aria-label]').forEach((sign) => {
    sign.removeAttribute('aria-label');
    sign.setAttribute('aria-hidden', 'true');
  });
  // What moves inside its own frame can be moved by the arrow keys once it has the focus.
  document.querySelectorAll(SCROLLED).forEach((box) => {
    const moves = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (moves && !box.hasAttribute('tabindex')) box.tabIndex = 0;
  });
  // A button that shows a sign is called by a word, and by the name of the row that it moves.
  document.querySelectorAll('button.order').forEach((button) => {
    const [tab, word, number] = button.id.split('-');
    set(button, 'aria-labelledby', `access-${word} ${tab}-name-${number}`);
  });
  // Gradio names a slider's two inputs in English, whatever the page speaks, and a group of choices not at all.
  document.querySelectorAll('.block').forEach((block) => {
    const label = block.querySelector('[data-testid=block-info]');
    if (!label) return;
    label.id ||= `label-${(count += 1)}`;
    if (block.matches('fieldset')) set(block, 'aria-labelledby', label.id);
    block.querySelectorAll('input[type=range], [data-testid=number-input]').forEach((input) => set(input, 'aria-labelledby', label.id));
    block.querySelectorAll('.reset-button').forEach((button) => set(button, 'aria-labelledby', `access-reset ${label.id}`));
  });
};
// The arrow keys move along the tabs, as in every program.
document.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const tab = event.target.closest?.('[role=tab]');
  if (!move || !tab || !element.isConnected) return;
  const tabs = [...tab.closest('[role=tablist]').querySelectorAll('[role=tab]')].filter((other) => other.checkVisibility());
  const next = tabs[(tabs.indexOf(tab) + move + tabs.length) % tabs.length];
  event.preventDefault();
  next.focus();
  next.click();
});
const lastSaid = new Map();
const say = () => {
  const fresh = said.flatMap((selector) => {
    const part = document.querySelector(selector);
    const text = part?.checkVisibility() ? part.innerText.replace(/\s+/g, ' ').trim() : '';
    const isNew = text && lastSaid.get(selector) !== text;
    if (text) lastSaid.set(selector, text);
    return isNew ? [text] : [];
  });
  if (fresh.length) region.textContent = fresh.join(' ').slice(0, MOST);
};
let pause;
let frame;
const seen = new MutationObserver((changes) => {
  if (!element.isConnected) return seen.disconnect();
  if (changes.every(({ target }) => region.contains(target))) return undefined;
  clearTimeout(pause);
  pause = setTimeout(() => {
    nameParts(); // by then everything has its size
    say();
  }, STILL);
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    nameParts();
  });
  return undefined;
});
seen.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['class', 'd'] });
