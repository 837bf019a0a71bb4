// A visitor's own message can be chosen, by hand or by key, to say something else; which one is its number.
const own = () => [...element.querySelectorAll('[data-testid=user]')];
const choose = (target) => {
  const number = own().indexOf(target.closest('[data-testid=user]'));
  if (number >= 0) trigger('click', { index: number });
};
const mark = () => own().forEach((bubble) => {
  bubble.tabIndex = 0;
  bubble.setAttribute('role', 'button');
});
element.addEventListener('click', (event) => {
  if (!String(window.getSelection())) choose(event.target); // words that are being copied are not a click
});
element.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') choose(event.target);
});
watch('value', mark);
mark();
