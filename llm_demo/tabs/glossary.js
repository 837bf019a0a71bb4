// Two kinds of links inside the page, wherever they stand. One to #term-<term> opens the glossary there, and
// closing it gives the focus back; one to #see-<id> shows a tab, a section or a part of one, and opens its fold.
const PATIENCE = 3000; // milliseconds that a tab may take to draw what is in it
let at = null; // the term on which the glossary is open, '' for its beginning, null where it is closed
const openAt = (name) => {
  at = name;
  const dialog = element.querySelector('dialog');
  const term = name && document.getElementById(`term-${name}`);
  if (!dialog.open) dialog.showModal();
  element.querySelectorAll('.here').forEach((other) => other.classList.remove('here'));
  if (!term) {
    dialog.scrollTop = 0;
    return;
  }
  term.classList.add('here');
  term.scrollIntoView({ block: 'center' });
  term.focus();
};
const tabOf = (id) => document.querySelector(`button[role=tab][data-tab-id="${CSS.escape(id)}"]`);
const wait = (find, act, until) => {
  const found = find();
  if (found) act(found);
  else if (performance.now() < until) requestAnimationFrame(() => wait(find, act, until));
};
const see = (id) => {
  tabOf(id.split('-')[0])?.click();
  const part = () => tabOf(id) ?? document.getElementById(id);
  wait(part, (found) => {
    if (found.role === 'tab') found.click();
    const fold = found.querySelector('button.label-wrap');
    if (fold && !fold.classList.contains('open')) fold.click();
    found.scrollIntoView({ block: fold ? 'start' : 'center' });
    const first = found.matches('button') ? found : found.querySelector('button, input, textarea, [tabindex="0"]');
    first?.focus({ preventScroll: true });
    found.classList.add('pointed');
    setTimeout(() => found.classList.remove('pointed'), 2000);
  }, performance.now() + PATIENCE);
};
const follow = (event) => {
  if (!element.isConnected) return document.removeEventListener('click', follow, true);
  const [, kind, name] = event.target.closest?.('a[href]')?.getAttribute('href').match(/^#(glossary|term-|see-)(.*)$/) ?? [];
  if (!kind) return undefined;
  event.preventDefault();
  event.stopPropagation();
  if (kind === 'see-') see(name);
  else openAt(name);
  return undefined;
};
document.addEventListener('click', follow, true);
element.addEventListener('click', (event) => {
  const dialog = element.querySelector('dialog');
  if (event.target === dialog || event.target.closest('[data-close]')) dialog.close(); // beside the panel, or its button
});
element.addEventListener('close', () => { at = null; }, true);
watch('value', () => {
  if (at !== null) openAt(at); // its words are drawn anew in another language
});
if (/^#term-\w+$/.test(window.location.hash)) openAt(window.location.hash.slice('#term-'.length));
