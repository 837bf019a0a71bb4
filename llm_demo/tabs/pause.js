// Tells when a visitor has stopped typing into the text box of this name: one event for a word, not one a letter.
const WAIT = 250; // milliseconds
let pause;
const hear = (event) => {
  if (!element.isConnected) return document.removeEventListener('input', hear);
  if (!event.target.closest?.(element.querySelector('[data-hears]').dataset.hears)) return undefined;
  clearTimeout(pause);
  pause = setTimeout(() => trigger('input'), WAIT);
  return undefined;
};
document.addEventListener('input', hear);
