// What a page must have to be good on a phone and for everybody; gives a list of complaints.
() => {
  const complaints = [];
  const check = (good, text) => { if (!good) complaints.push(text); };
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // WCAG 2.2, 1.4.3: the contrast of text to what is behind it.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (...layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of layers) {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...color].map((n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
    const root = document.createElement("div");
    root.style.color = "Canvas";
    document.body.append(root);
    layers.unshift(getComputedStyle(root).color);
    root.remove();
    const style = getComputedStyle(element);
    const [one, other] = [luminance(pixel(...layers)), luminance(pixel(...layers, element.closest("svg") ? style.fill : style.color))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };

  check(document.documentElement.lang, "no language");
  check(document.title, "no title");
  check(document.querySelector("meta[name=viewport]"), "no viewport");
  check(document.querySelectorAll("h1").length === 1, "not one main heading");
  check(document.compatMode === "CSS1Compat", "quirks mode");
  const wide = document.scrollingElement.scrollWidth;
  check(wide <= innerWidth && innerWidth === 360, `scrolls sideways: ${wide} of ${innerWidth} pixels`);

  for (const element of document.querySelectorAll("button, input:not([type=hidden]), select, textarea")) {
    if (!shown(element)) continue;
    const name = element.id || element.name || element.textContent;
    const targets = [element, ...(element.labels ?? [])].map((target) => target.getBoundingClientRect());
    const sizes = targets.map(({ width, height }) => `${width} x ${height}`).join(", ");
    check(targets.some(({ width, height }) => width >= 44 && height >= 44), `${name}: ${sizes} pixels: too small for a finger`);
    const label = element.labels?.[0]?.textContent.trim() || element.ariaLabel || element.textContent.trim();
    check(label, `${name}: no label`);
  }
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!text || !shown(element) || element.closest("script, style, :disabled")) continue;
    const ratio = contrast(element);
    check(ratio >= 4.5, `${element.localName} "${element.textContent.trim().slice(0, 30)}": contrast ${ratio.toFixed(1)}`);
  }
  return complaints;
}
