// Draws the pictures that came with the tokens, after strip.js, whose `choose` takes a click on a row of the map.
// As in board.js, Plotly only moves what gr.Plot would build anew, with a flash, at every step of a slider.
const PICTURES = ['#inside-map', '#inside-row', '#inside-near'];
let later;
const paint = () => {
  clearTimeout(later);
  const sent = element.querySelector('[data-charts]');
  if (!element.isConnected || !sent) return;
  const plots = PICTURES.map((id) => document.querySelector(`${id} .js-plotly-plot`));
  if (!plots.every(Boolean)) {
    later = setTimeout(paint, 30); // Plotly is still on its way
    return;
  }
  JSON.parse(sent.dataset.charts).forEach(({ data, layout }, number) => {
    const size = layout.width ? {} : { autosize: true };
    window.Plotly.react(plots[number], data, { ...layout, ...size }, { responsive: !layout.width, displayModeBar: false });
  });
  plots[0].removeAllListeners('plotly_click');
  plots[0].on('plotly_click', (event) => choose(event.points[0].pointIndex[0]));
};
watch('value', paint);
paint();
