// Copies a link as soon as it is there, and says so; where the browser forbids it, leaves it selected to be copied.
const copy = async (field) => {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand('copy');
  }
};
watch('value', async () => {
  const field = element.querySelector('input');
  if (!field) return;
  const copied = await copy(field);
  const told = element.querySelector(copied ? '[data-copied]' : '[data-select]');
  if (told) told.hidden = false;
});
