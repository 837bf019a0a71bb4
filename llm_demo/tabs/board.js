// Draws the charts that came with the candidates, and takes a click on a bar or on a candidate's button.
// gr.Plot builds a picture anew at every change, with a flash; here Plotly, which it brought, only moves the bars.
// A whole row can be clicked, however short its bar.
const PLOTS = { '#microscope-bars': 'y', '#microscope-draw': 'closest' };
const SETTINGS = { responsive: true, displayModeBar: false };
const board = () => element.querySelector('[data-charts]');
let again;
const choose = (button) => {
  if (button) trigger('click', { id: Number(button.dataset.id), place: Number(board().dataset.place) });
};
const paint = () => {
  clearTimeout(again);
  if (!element.isConnected || !board()) return;
  const plots = Object.keys(PLOTS).map((id) => document.querySelector(`${id} .js-plotly-plot`));
  if (!plots.every(Boolean)) {
    again = setTimeout(paint, 30); // Plotly is still on its way
    return;
  }
  JSON.parse(board().dataset.charts).forEach(({ data, layout }, number) => {
    const hovermode = Object.values(PLOTS)[number];
    window.Plotly.react(plots[number], data, { ...layout, hovermode, autosize: true }, SETTINGS);
  });
  plots[0].removeAllListeners('plotly_click');
  plots[0].on('plotly_click', (event) => choose(element.querySelectorAll('[data-id]')[event.points[0].y]));
};
element.addEventListener('click', (event) => choose(event.target.closest('[data-id]')));
watch('value', paint);
paint();
