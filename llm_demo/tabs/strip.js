// A click, or the arrow keys, choose a token. The listeners stay while the tokens inside are drawn anew.
let wanted = null; // the place last chosen here, which may be ahead of what has been drawn
const tokens = () => [...element.querySelectorAll('[data-i]')];
let pause; // keys held down send the last place alone
const choose = (place) => {
  wanted = place;
  clearTimeout(pause);
  pause = setTimeout(() => trigger('click', { index: place }), 50);
};
element.addEventListener('click', (event) => {
  const token = event.target.closest('[data-i]');
  if (token) choose(Number(token.dataset.i));
});
element.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const here = event.target.closest('[data-i]');
  if (!move || !here) return;
  event.preventDefault();
  const next = tokens()[Number(here.dataset.i) + move];
  if (!next) return;
  next.focus();
  choose(Number(next.dataset.i));
});
watch('value', () => {
  // Drawing anew took the focus away; it is given back, unless the visitor has gone elsewhere.
  if (wanted !== null && document.activeElement === document.body) tokens()[wanted]?.focus();
});
