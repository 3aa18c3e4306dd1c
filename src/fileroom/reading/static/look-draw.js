// Draws a picture as it is to be shown: the part of it, turned, flipped, with what was drawn on it. Coordinates are
// those of a presentation state: pixels of the image from 0.0 at its corner (PS3.3 C.10.5.1.2), the area's from 1.
"use strict";
window.lookDraw = (() => {
  const SIDE_MAX = 4096; // of the canvas
  const whole = (size) => [1, 1, size.columns, size.rows];

  // The matrix from the image's pixels to the canvas's, and the canvas's size. `detail`: canvas pixels for one of them.
  const placed = (size, view, detail) => {
    const [left, top, right, bottom] = view.area ?? whole(size);
    const [wide, high] = [right - left + 1, bottom - top + 1];
    const scale = Math.min(detail, SIDE_MAX / Math.max(wide, high));
    const lies = view.rotation % 180 !== 0;
    const [width, height] = (lies ? [high, wide] : [wide, high]).map((side) => Math.max(1, Math.round(side * scale)));
    const matrix = new DOMMatrix();
    if (view.flipped) matrix.translateSelf(width, 0).scaleSelf(-1, 1);
    const corner = { 0: [0, 0], 90: [width, 0], 180: [width, height], 270: [0, height] }[view.rotation];
    matrix.translateSelf(...corner).rotateSelf(view.rotation).scaleSelf(scale).translateSelf(1 - left, 1 - top);
    return { matrix, width, height };
  };

  const outline = (context, kind, points, scale) => {
    context.beginPath();
    const [[x, y], second] = points;
    if (kind === "POINT") context.arc(x, y, 3 / scale, 0, 7);
    else if (kind === "CIRCLE") context.arc(x, y, Math.hypot(second[0] - x, second[1] - y), 0, 7);
    else if (kind === "ELLIPSE") {
      const [, , upper, lower] = points;
      const half = (a, b) => Math.hypot(b[0] - a[0], b[1] - a[1]) / 2;
      const turn = Math.atan2(second[1] - y, second[0] - x);
      context.ellipse((x + second[0]) / 2, (y + second[1]) / 2, half(points[0], second), half(upper, lower), turn, 0, 7);
    } else points.forEach((point, place) => (place ? context.lineTo(...point) : context.moveTo(...point)));
  };

  // Twice: a dark line under a light one is seen on any grey.
  const stroke = (context, matrix, graphic, width) => {
    context.save();
    context.setTransform(matrix);
    outline(context, graphic.kind, graphic.points, Math.hypot(matrix.a, matrix.b));
    context.restore();
    for (const [colour, more] of [["#000c", 3], ["#ffd84d", 1]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * more;
      context.stroke();
    }
    context.fillStyle = "#ffd84d";
    if (graphic.filled) context.fill();
  };

  const write = (context, matrix, label, size) => {
    const at = matrix.transformPoint(new DOMPoint(...label.anchor));
    context.font = `${size}px sans-serif`;
    context.textBaseline = label.boxed ? "top" : "middle";
    label.text.split(/\r?\n/).forEach((line, number) => {
      const where = [at.x + (label.boxed ? 0 : size / 2), at.y + number * size * 1.2];
      context.strokeStyle = "#000c";
      context.lineWidth = size / 5;
      context.strokeText(line, ...where);
      context.fillStyle = "#ffd84d";
      context.fillText(line, ...where);
    });
  };

  // Returns the matrix from the image's pixels to those of the canvas.
  return (canvas, bitmap, size, view, drawn) => {
    const { matrix, width, height } = placed(size, view, bitmap.width / size.columns);
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    context.setTransform(matrix);
    context.imageSmoothingEnabled = bitmap.width !== size.columns;
    context.drawImage(bitmap, 0, 0, size.columns, size.rows);
    context.resetTransform();
    const display = new DOMMatrix([width, 0, 0, height, 0, 0]);
    const of = (one) => (one.units === "DISPLAY" ? display : matrix);
    const unit = Math.max(width, height) / 700;
    for (const graphic of drawn.graphics) stroke(context, of(graphic), graphic, Math.max(1, unit));
    for (const label of drawn.labels) write(context, of(label), label, Math.max(11, unit * 14));
    return matrix;
  };
})();
