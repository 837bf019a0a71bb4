// Tells when a page that was opened with a link has done all that a page does by itself when it opens.
// Each of those events leaves its number in window.settled; the language is the one that the visitor was greeted in.
const { opening, rewording, language } = JSON.parse(element.querySelector('[data-waits]').dataset.waits);
const query = new URLSearchParams(location.search);
const settled = (window.settled ??= { done: new Set(), language: null });
const look = () => {
  const awaited = settled.language === language ? opening : [...opening, ...rewording];
  if (settled.language === null || !awaited.every((number) => settled.done.has(number))) return;
  document.removeEventListener('settled', look);
  trigger('input');
};
if (query.has('tab') || query.has('lesson')) {
  document.addEventListener('settled', look);
  look();
}
