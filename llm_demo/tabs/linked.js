// A token has a chip, a row and a place in the text. Pointing at one lights up the others, and what the other
// tokenizer made of the same characters; a click or the arrow keys keep the light on.
const HELD = { chip: 'aria-pressed', row: 'aria-selected' };
const spansOf = (view) => JSON.parse(view.dataset.spans);
const meet = ([a, b], [c, d]) => a < d && c < b;
const parts = (view) => ({
  chips: [...view.querySelectorAll('.strip [data-i]')],
  rows: [...view.querySelectorAll('tbody [data-i]')],
  places: [...view.querySelectorAll('[data-s]')],
});
const numbers = (place) => [Number(place.dataset.s), Number(place.dataset.e)];

const clear = (group, light) => group.querySelectorAll(`.${light}`).forEach((part) => part.classList.remove(light));
// `chosen` is one token of `view`; without it every token of the range is meant.
const shine = (group, light, range, view, chosen) => {
  clear(group, light);
  group.querySelectorAll('.view').forEach((other) => {
    const { chips, rows, places } = parts(other);
    spansOf(other).forEach((span, i) => {
      const meant = other === view && chosen !== undefined ? i === chosen : meet(span, range);
      if (meant) [chips[i], rows[i]].forEach((part) => part?.classList.add(light));
    });
    places.filter((place) => meet(numbers(place), range)).forEach((place) => place.classList.add(light));
  });
};
const tokenOf = (part) => {
  const view = part.closest('.view');
  const place = part.closest('[data-s]');
  const here = place ? spansOf(view).findIndex((span) => meet(span, numbers(place))) : Number(part.closest('[data-i]').dataset.i);
  return { group: view.closest('.linked'), view, here };
};
const target = (event) => event.target.closest?.('.linked [data-i], .linked [data-s]');

const scrollTo = (box, part) => {
  if (!box || !part) return;
  const shift = part.getBoundingClientRect().top - box.getBoundingClientRect().top;
  if (shift < 0 || shift > box.clientHeight - part.clientHeight) box.scrollTop += shift - box.clientHeight / 2;
};
const hold = ({ group, view, here }) => {
  const { chips, rows, places } = parts(view);
  if (!chips[here]) return;
  const range = spansOf(view)[here];
  shine(group, 'held', range, view, here);
  group.querySelectorAll('[aria-pressed=true]').forEach((chip) => chip.setAttribute('aria-pressed', 'false'));
  group.querySelectorAll('[aria-selected]').forEach((row) => row.removeAttribute('aria-selected'));
  chips.forEach((chip, i) => { chip.tabIndex = i === here ? 0 : -1; });
  chips[here].setAttribute(HELD.chip, 'true');
  rows[here]?.setAttribute(HELD.row, 'true');
  scrollTo(view.querySelector('.strip'), chips[here]);
  scrollTo(view.querySelector('.tokens-table'), rows[here]);
  scrollTo(view.querySelector('.passage'), places.find((place) => meet(numbers(place), range)));
};

element.addEventListener('mouseover', (event) => {
  const part = target(event);
  element.querySelectorAll('.linked').forEach((group) => clear(group, 'lit'));
  if (!part) return;
  const { group, view, here } = tokenOf(part);
  if (part.dataset.s) shine(group, 'lit', numbers(part), view);
  else shine(group, 'lit', spansOf(view)[here], view, here);
});
element.addEventListener('mouseleave', () => element.querySelectorAll('.linked').forEach((group) => clear(group, 'lit')));
element.addEventListener('click', (event) => {
  const part = target(event);
  if (part) hold(tokenOf(part));
});
element.addEventListener('keydown', (event) => {
  const view = event.target.closest('.view');
  if (!view) return;
  const inTable = event.target.closest('.tokens-table');
  const move = (inTable ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 })[event.key];
  if (!move) return;
  event.preventDefault();
  const { chips } = parts(view);
  const held = chips.findIndex((chip) => chip.getAttribute(HELD.chip) === 'true');
  const from = inTable ? held : chips.indexOf(event.target.closest('[data-i]'));
  const here = Math.min(Math.max(from + move, 0), chips.length - 1);
  hold({ group: view.closest('.linked'), view, here });
  if (!inTable) chips[here].focus();
});
