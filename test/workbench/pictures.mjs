// Pictures for the documentation that show more than one window.

/** Writes one PNG with the pages side by side at half their size (on a dense display: sharp). */
export async function sideBySide(browser, pages, file) {
  const shots = [];
  for (const page of pages) shots.push((await page.screenshot()).toString('base64'));
  const { width, height } = pages[0].viewportSize();
  const gap = 16;
  const scale = 0.75;
  const context = await browser.newContext({
    viewport: { width: Math.round(pages.length * width * scale + gap), height: Math.round(height * scale) },
  });
  const page = await context.newPage();
  const images = shots
    .map((shot) => `<img width="${width * scale}" src="data:image/png;base64,${shot}">`)
    .join('');
  await page.setContent(
    `<body style="margin:0;background:transparent;display:flex;justify-content:space-between">${images}</body>`,
  );
  await page.screenshot({ path: file, omitBackground: true });
  await context.close();
}
