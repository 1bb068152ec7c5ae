# SPDX-License-Identifier: MPL-2.0
"""Draws and changes the parts of composites. Pictures are (height, width, 3), BGR, uint8."""

import math

import cv2
import numpy as np

# Textures: size of the clouds in px, maximum number of shapes, minimum extent of a shape in px, maximum as the divisor
# of the height.
GRAINS, MAX_SHAPES, MIN_SHAPE, SHAPE_DIVISOR = (2, 100), 12, 3, 3
FLATTENINGS, THICKNESSES = (0.3, 1.5), (-1, 1, 2, 5)
# Printable characters that OpenCV can draw, maximum length of a text, and the height of OpenCV's font in px.
CHARACTERS, MAX_TEXT, FONT_HEIGHT = (33, 123), 12, 30

# Minimum share of the width or height that a cut shows of a picture.
MIN_SHOWN = 0.4

# Light: share of pictures that keep it, and that become gray; mean and spread of the logarithm of the gain, its spread
# by channel, and that of the logarithm of gamma.
UNCHANGED_SHARE, GRAY_SHARE = 0.3, 0.15
GAIN_MEAN, GAIN_SPREAD, TINT_SPREAD, GAMMA_SPREAD = -0.1, 0.3, 0.12, 0.25
# Light from one side: range of the shadow's edge around the middle and of its width, in heights of the box, and of the
# light that is left in it.
EDGES, EDGE_WIDTHS, LEFT_LIGHT = (-0.3, 0.3), (0.2, 1), (0.03, 0.5)
# Dark skin: the gains of a face, half the size of the darker part in widths and heights of the box, and the width of
# its edge in widths.
SKIN_GAINS, SKIN_EXTENT, SKIN_EDGE = (0.2, 0.7), (0.55, 0.6), 0.25
# Marks such as logos: maximum number, and range of their extents in px.
MAX_MARKS, MARK_EXTENTS = 5, (6, 48)
# Share of a picture's sides that is covered.
COVERS = (0.15, 0.5)

# Share of portraits that are pasted whole; others show the head only, as an ellipse with these half axes and with an
# edge of this width, in widths and heights of the box.
WHOLE_SHARE = 0.5
HALF_WIDTHS, HALF_HEIGHTS, SOFT_EDGES = (0.5, 0.75), (0.5, 0.65), (0.02, 0.2)
# Scale below which a picture is averaged before it is pasted, because interpolation would skip pixels.
MIN_INTERPOLATED = 0.6
OPAQUE = 255


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Returns a number whose logarithm is uniform between those of `low` and `high`."""
    return math.exp(rng.uniform(math.log(low), math.log(max(low, high))))


def texture(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draws clouds with shapes and letters, with a width and height."""
    width, height = size
    grain = log_uniform(rng, *GRAINS)
    cells = rng.integers(0, 256, (math.ceil(height / grain) + 1, math.ceil(width / grain) + 1, 3), dtype=np.uint8)
    picture = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
    picture = cv2.addWeighted(picture, rng.uniform(0, 1), np.full_like(picture, rng.integers(256)), 0.5, 0)
    for _ in range(rng.integers(0, MAX_SHAPES)):
        _draw_shape(picture, rng, int(log_uniform(rng, MIN_SHAPE, height / SHAPE_DIVISOR)))
    return picture


def draw_marks(picture: np.ndarray, rng: np.random.Generator) -> None:
    """Draws small shapes and letters onto a picture, like logos, titles and knobs."""
    for _ in range(rng.integers(1, MAX_MARKS + 1)):
        _draw_shape(picture, rng, int(log_uniform(rng, *MARK_EXTENTS)))


def _draw_shape(picture: np.ndarray, rng: np.random.Generator, extent: int) -> None:
    height, width = picture.shape[:2]
    color = rng.integers(0, 256, 3).tolist()
    center = (int(rng.integers(width)), int(rng.integers(height)))
    thickness = int(rng.choice(THICKNESSES))
    shape = ("ellipse", "rectangle", "line", "text")[rng.integers(4)]
    if shape == "ellipse":
        axes = (extent, int(extent * rng.uniform(*FLATTENINGS)))
        cv2.ellipse(picture, center, axes, 0, 0, 360, color, thickness)
    elif shape == "rectangle":
        far = (center[0] + extent, center[1] + int(extent * rng.uniform(*FLATTENINGS)))
        cv2.rectangle(picture, center, far, color, thickness)
    elif shape == "line":
        far = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.line(picture, center, far, color, abs(thickness))
    else:
        text = "".join(map(chr, rng.integers(*CHARACTERS, rng.integers(1, MAX_TEXT))))
        cv2.putText(picture, text, center, cv2.FONT_HERSHEY_SIMPLEX, extent / FONT_HEIGHT, color, abs(thickness))


def covering(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Cuts a random part of a picture, scaled to a width and height."""
    width, height = size
    rows, columns = picture.shape[:2]
    share = rng.uniform(MIN_SHOWN, 1)
    scale = max(width / columns, height / rows) / share
    shown = (min(columns, round(width / scale)), min(rows, round(height / scale)))
    x, y = rng.integers(0, columns - shown[0] + 1), rng.integers(0, rows - shown[1] + 1)
    part = picture[y : y + shown[1], x : x + shown[0]]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def relit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Changes the light and camera of a picture: gain, gamma, color cast or grayscale."""
    if rng.random() < UNCHANGED_SHARE:
        return picture
    if rng.random() < GRAY_SHARE:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    gains = math.exp(rng.normal(GAIN_MEAN, GAIN_SPREAD)) * np.exp(rng.normal(0, TINT_SPREAD, 3))
    table = 255 * (np.arange(256)[:, None] / 255) ** math.exp(rng.normal(0, GAMMA_SPREAD)) * gains
    return cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8)[None])


def side_lit(picture: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lights the content of a box (x, y, width, height) from one side: the other side is dim or dark."""
    x, y, width, height = box
    angle = rng.uniform(0, 2 * math.pi)
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    # Position along the direction of the light, relative to the middle of the box, in heights of the box.
    along = ((columns - x - width / 2) * math.cos(angle) + (rows - y - height / 2) * math.sin(angle)) / height
    light = np.clip(0.5 + rng.uniform(*EDGES) + along / rng.uniform(*EDGE_WIDTHS), rng.uniform(*LEFT_LIGHT), 1)
    return (picture * light[:, :, None]).astype(np.uint8)


def darkened(picture: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darkens the face in a box (x, y, width, height), but not what is around it, like dark skin."""
    x, y, width, height = box
    center = (round(x + width / 2), round(y + height / 2))
    axes = (round(width * SKIN_EXTENT[0]), round(height * SKIN_EXTENT[1]))
    share = np.zeros(picture.shape[:2], np.float32)
    cv2.ellipse(share, center, axes, 0, 0, 360, 1.0, -1)
    share = cv2.blur(share, (round(width * SKIN_EDGE) + 1,) * 2)[:, :, None]
    return (picture * (1 - share * (1 - rng.uniform(*SKIN_GAINS)))).astype(np.uint8)


def covered(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Covers a part of a picture."""
    picture = picture.copy()
    height, width = (np.array(picture.shape[:2]) * rng.uniform(*COVERS, 2)).astype(int)
    y, x = rng.integers(0, picture.shape[0] - height), rng.integers(0, picture.shape[1] - width)
    picture[y : y + height, x : x + width] = texture((width, height), rng)
    return picture


def head(picture: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the opacity of a portrait (height, width), uint8, which shows all of it or only the head in a box."""
    opacity = np.full(picture.shape[:2], OPAQUE, np.uint8)
    if rng.random() < WHOLE_SHARE:
        return opacity
    x, y, width, height = box
    opacity[:] = 0
    center = (round(x + width / 2), round(y + height / 2))
    axes = (round(width * rng.uniform(*HALF_WIDTHS)), round(height * rng.uniform(*HALF_HEIGHTS)))
    cv2.ellipse(opacity, center, axes, 0, 0, 360, OPAQUE, -1)
    return cv2.blur(opacity, (round(width * rng.uniform(*SOFT_EDGES)) + 1,) * 2)


def pose(box: np.ndarray, center: np.ndarray, height: float, degrees: float, is_mirrored: bool) -> np.ndarray:
    """Returns the matrix (2, 3) that moves a face in `box` to `center` and scales the box to `height`, in px."""
    x, y, width, box_height = box
    scale = height / box_height
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if is_mirrored else 1.0, 1.0])
    return np.column_stack([linear, center - linear @ (x + width / 2, y + box_height / 2)])


def paste(canvas: np.ndarray, picture: np.ndarray, opacity: np.ndarray, matrix: np.ndarray) -> None:
    """Draws a picture onto the canvas; `matrix` (2, 3) maps coordinates of the picture to the canvas."""
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    layers = np.dstack([picture, opacity])
    if scale < MIN_INTERPOLATED:
        size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
        layers = cv2.resize(layers, size, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([picture.shape[1] / size[0], picture.shape[0] / size[1], 1])
    rows, columns = layers.shape[:2]
    corners = matrix @ np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]])
    low = np.floor(corners.min(1)).clip(0).astype(int)
    high = np.minimum(np.ceil(corners.max(1)).astype(int), canvas.shape[1::-1])
    if (low >= high).any():
        return
    # In OpenCV, the center of the first pixel is at (0, 0).
    shift = matrix @ (0.5, 0.5, 1) - 0.5 - low
    warp = np.column_stack([matrix[:, :2], shift])
    layers = cv2.warpAffine(layers, warp, tuple((high - low).tolist()))
    part = canvas[low[1] : high[1], low[0] : high[0]]
    share = layers[:, :, 3:].astype(np.uint16)
    part[:] = (layers[:, :, :3] * share + part * (OPAQUE - share)) // OPAQUE
