// A click on another candidate's button tells which.
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-id]');
  if (button) trigger('click', { id: Number(button.dataset.id) });
});
