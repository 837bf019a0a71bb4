// A click, or the arrow keys, choose a token. The listeners stay while the tokens inside are drawn anew.
let typing = false;
const tokens = () => [...element.querySelectorAll('[data-i]')];
element.addEventListener('click', (event) => {
  const token = event.target.closest('[data-i]');
  if (token) trigger('click', { index: Number(token.dataset.i) });
});
element.addEventListener('keydown', (event) => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const here = event.target.closest('[data-i]');
  if (!move || !here) return;
  const next = tokens()[Number(here.dataset.i) + move];
  event.preventDefault();
  if (!next) return;
  typing = true;
  next.focus();
  trigger('click', { index: Number(next.dataset.i) });
});
watch('value', () => {
  if (!typing) return;
  typing = false;
  element.querySelector('[aria-pressed="true"]')?.focus();
});
