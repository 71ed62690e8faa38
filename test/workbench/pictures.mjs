// Pictures for the documentation that show more than one window.

const gap = 16;
const scale = 0.75;

/** Writes one PNG with the pages side by side at three quarters of their size. */
export function sideBySide(browser, pages, file) {
  return compose(browser, pages, file);
}

/** The same with a terminal below: its command line and the last lines that it shows. */
export function withTerminal(browser, pages, { command, text, lines }, file) {
  const shown = [`$ ${command}`, ...text.trimEnd().split('\n').slice(-lines)].join('\n');
  const escaped = shown.replace(/[&<>]/g, (ch) => `&#${ch.charCodeAt(0)};`);
  const style =
    'margin:0;padding:12px 16px;font:14px/19px monospace;background:#1e1e1e;color:#ddd;height:100%';
  return compose(browser, pages, file, {
    height: (lines + 1) * 19 + 24,
    html: `<pre style="${style}">${escaped}</pre>`,
  });
}

async function compose(browser, pages, file, below = { height: 0, html: '' }) {
  const shots = [];
  for (const page of pages) shots.push((await page.screenshot()).toString('base64'));
  const { width, height } = pages[0].viewportSize();
  const top = Math.round(height * scale) + (below.height > 0 ? gap : 0);
  const context = await browser.newContext({
    viewport: { width: Math.round(pages.length * width * scale + gap), height: top + below.height },
  });
  const page = await context.newPage();
  const images = shots
    .map((shot) => `<img width="${width * scale}" src="data:image/png;base64,${shot}">`)
    .join('');
  await page.setContent(
    `<body style="margin:0;background:transparent">
       <div style="display:flex;justify-content:space-between;height:${top}px;align-items:flex-start">${images}</div>
       <div style="height:${below.height}px;overflow:hidden">${below.html}</div>
     </body>`,
  );
  await page.screenshot({ path: file, omitBackground: true });
  await context.close();
}
