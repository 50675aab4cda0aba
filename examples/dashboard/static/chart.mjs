// A line chart as SVG: the curve, the two limits, a grid, and what lies under the pointer.

const LEFT = 44, RIGHT = 12, TOP = 8, BOTTOM = 24;  // pixels for the labels around the plot
const STEPS = [0.5, 1, 2, 5, 10, 20, 50];  // degrees between two lines of the grid

// Give the range of the axis and its step: all samples fit, and so do limits that are not far away.
function axis(values, limits) {
  let low = Math.min(...values), high = Math.max(...values);
  const reach = Math.max(2, high - low);
  for (const limit of limits) {
    if (limit > low - reach && limit < high + reach) {
      low = Math.min(low, limit);
      high = Math.max(high, limit);
    }
  }
  const step = STEPS.find((size) => (high - low) / size <= 5) ?? 100;
  low = Math.floor((low - step / 4) / step) * step;
  high = Math.ceil((high + step / 4) / step) * step;
  return { low, high, step };
}

const ago = (seconds) => (seconds < 60 ? `${Math.round(seconds)} s` : `${+(seconds / 60).toFixed(1)} min`);

export class Chart {
  // `data` has values (degrees, the newest last), capacity (samples in the whole width), period (seconds) and limits.
  constructor(svg, data) {
    this.svg = svg;
    this.data = data;
    this.pointer = null;
    svg.onpointermove = svg.onpointerdown = (event) => this.point(event.offsetX);
    svg.onpointerleave = () => this.point(null);
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  point(x) {
    this.pointer = x;
    this.draw();
  }

  draw() {
    const { values, capacity, period, limits } = this.data;
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!values.length || !width) {
      this.svg.replaceChildren();
      return;
    }
    const { low, high, step } = axis(values, limits);
    const x = (n) => LEFT + ((n + capacity - values.length) / (capacity - 1)) * (width - LEFT - RIGHT);
    const y = (value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM);
    // Nothing but numbers of ours goes into this markup.
    let out = "";
    for (let value = low; value <= high + step / 2; value += step) {
      out += `<path class="grid" d="M${LEFT} ${y(value)}H${width - RIGHT}"/>`;
      out += `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${+value.toFixed(1)}°</text>`;
    }
    const past = ago((capacity - 1) * period);
    out += `<text x="${LEFT}" y="${height - 4}">${past} ago</text>`;
    out += `<text x="${width - RIGHT}" y="${height - 4}" text-anchor="end">now</text>`;
    limits.forEach((limit, n) => {
      if (limit >= low && limit <= high) out += `<path class="${n ? "high" : "low"}" d="M${LEFT} ${y(limit)}H${width - RIGHT}"/>`;
    });
    const points = values.map((value, n) => `${x(n).toFixed(1)} ${y(value).toFixed(1)}`);
    out += `<path class="curve" d="M${points.join("L")}"/>`;
    const last = values.length - 1;
    const under = this.pointer === null ? last : this.nearest(width);
    out += `<circle class="mark" cx="${x(under)}" cy="${y(values[under])}" r="4"/>`;
    if (under !== last) {
      const side = x(under) > width / 2 ? "end" : "start";
      const text = `${values[under].toFixed(1)} °C, ${ago((last - under) * period)} ago`;
      out += `<text class="said" x="${x(under)}" y="${Math.max(y(values[under]) - 10, 16)}" text-anchor="${side}">${text}</text>`;
    }
    this.svg.innerHTML = out;
  }

  nearest(width) {
    const { values, capacity } = this.data;
    const n = Math.round(((this.pointer - LEFT) / (width - LEFT - RIGHT)) * (capacity - 1)) - capacity + values.length;
    return Math.max(0, Math.min(values.length - 1, n));
  }
}
