#include <stdlib.h>
#include <string.h>

#include "support.h"

part part_of(size_t index, size_t m, size_t n) {
  size_t block = ours.column_block, column = (n / 2 + block - 1) / block * block, row = m / 3;
  if (column > n) column = n;
  return (part){index & 2 ? row : 0, index & 2 ? m : row, index & 1 ? column : 0, index & 1 ? n : column};
}

/// How many pixels the taps of a product are drawn from.
static size_t pixels(product_size s) { return s.m + s.taps + 3; }

/// Rows a whole number of pages apart take another way through memory; else there is a gap between them.
static size_t stride_of(product_size s, size_t size) { return s.k * size % 4096 ? s.k + 3 : s.k; }

static size_t length_of(product_size s, size_t size) {
  if (s.indirect) return pixels(s) * s.k;
  return s.m ? (s.m - 1) * stride_of(s, size) + s.k : 0;
}

static ck_rows rows(product_size s, size_t size, const void *a, const void *padding) {
  ck_rows r = {a, s.indirect ? 0 : stride_of(s, size), NULL, s.taps, s.k, padding};
  if (!s.indirect) return r;
  int32_t *offsets = take(s.m * s.taps * 4, 0);
  size_t count = pixels(s), pixel = 0;
  for (size_t i = 0; i < s.m * s.taps; i++) {
    // Mostly the neighbour of the pixel before, as in the row of a kernel.
    pixel = i % s.taps == 0 || below(3) == 0 ? below(count) : pixel + 1;
    offsets[i] = pixel >= count || below(8) == 0 ? -1 : (int32_t)(pixel * s.k);
    if (pixel >= count) pixel = 0;
  }
  r.offsets = offsets;
  return r;
}

ck_rows rows_of_floats(product_size s) {
  const float *a = floats(length_of(s, 4), -1, 1);
  return rows(s, 4, a, take(s.k * 4, 0));
}

ck_rows rows_of_bytes(product_size s, uint8_t padding) {
  uint8_t *a = bytes(length_of(s, 1), 0, 255);
  // Many extremes: they are what a saturating kernel would get wrong.
  for (size_t i = 0; i < length_of(s, 1); i++)
    if (a[i] > 170) a[i] = 255;
  return rows(s, 1, a, take(s.k, padding));
}

void each_size(void (*body)(product_size)) {
  static const size_t columns[] = {1,  3,  4,  5,  7,  8,  9,  12, 15, 16, 17,  24,
                                   31, 32, 33, 40, 47, 48, 49, 63, 64, 65, 127, 129};
  for (size_t m = 1; m <= 29; m++)
    for (size_t c = 0; c < COUNT(columns); c++) body((product_size){m, columns[c], 1, 20, 0});

  static const struct {
    size_t m, n;
  } few[] = {{1, 40}, {3, 33}, {5, 9}, {8, 12}};
  static const size_t depths[] = {127, 128, 129, 255, 256, 257, 1000, 1024, 4096, 8192};
  for (size_t f = 0; f < COUNT(few); f++) {
    for (size_t k = 0; k <= 70; k++) body((product_size){few[f].m, few[f].n, 1, k, 0});
    for (size_t d = 0; d < COUNT(depths); d++) body((product_size){few[f].m, few[f].n, 1, depths[d], 0});
  }

  static const size_t taps[] = {1, 2, 9, 25};
  for (size_t t = 0; t < COUNT(taps); t++)
    for (size_t k = 1; k <= 36; k++) body((product_size){10, 13, taps[t], k, 1});
  static const product_size others[] = {
    {30, 64, 9, 16, 1}, {5, 16, 49, 3, 1},   {3, 20, 1100, 1, 1}, {1, 150, 3, 3, 1},
    {3, 128, 9, 20, 1}, {16, 34, 400, 3, 1}, {2, 3, 17, 12, 1},   {29, 18, 25, 4, 1},
  };
  for (size_t i = 0; i < COUNT(others); i++) body(others[i]);
  // More weights than the second cache holds, with one segment of rows and with several.
  static const product_size large[] = {{29, 70, 1, 1000, 0}, {18, 70, 1, 3800, 0}, {18, 70, 30, 130, 1}};
  for (size_t i = 0; i < COUNT(large); i++) body(large[i]);
}

static size_t steps(size_t length, size_t stride) { return (length + stride - 1) / stride; }

size_t window_rows(window w) { return steps(HEIGHT, w.stride) * steps(WIDTH, w.stride); }

ck_window window_geometry(window w) {
  return (ck_window){HEIGHT, WIDTH, steps(WIDTH, w.stride), w.kernel, w.kernel, w.stride, w.stride, w.kernel / 2,
                     w.kernel / 2};
}

int32_t *window_offsets(window w) {
  int32_t *offsets = take(window_rows(w) * w.kernel * w.kernel * 4, 0), *to = offsets;
  int reach = (int)w.kernel / 2;
  for (int y = 0; y < HEIGHT; y += (int)w.stride)
    for (int x = 0; x < WIDTH; x += (int)w.stride)
      for (int v = y - reach; v <= y + reach; v++)
        for (int u = x - reach; u <= x + reach; u++) {
          int inside = v >= 0 && v < HEIGHT && u >= 0 && u < WIDTH;
          *to++ = inside ? (v * WIDTH + u) * (int32_t)w.channels : -1;
        }
  return offsets;
}

void each_window(void (*body)(window)) {
  static const size_t kernels[] = {1, 3, 5, 9}, wide[] = {47, 48, 49, 63, 64, 65, 127, 128, 130};
  for (size_t k = 0; k < COUNT(kernels); k++)
    for (size_t stride = 1; stride <= 3; stride++) {
      for (size_t channels = 1; channels <= 36; channels++) body((window){kernels[k], stride, channels});
      for (size_t c = 0; c < COUNT(wide); c++) body((window){kernels[k], stride, wide[c]});
    }
}
