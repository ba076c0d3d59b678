#include "support.h"

static void check(window w) {
  size_t rows = window_rows(w), taps = w.kernel * w.kernel, n = w.channels, count = rows * n;
  begin("pooling", "kernel %zu stride %zu channels %zu", w.kernel, w.stride, n);
  const int32_t *offsets = window_offsets(w);
  const float *x = floats(HEIGHT * WIDTH * n, -1, 1);
  const uint8_t *codes = bytes(HEIGHT * WIDTH * n, 0, 255);
  int32_t *inside = take(rows * 4, 0);
  for (size_t i = 0; i < rows * taps; i++) inside[i / taps] += offsets[i] >= 0;

  float *most[2], *mean[2];
  uint8_t *most_codes[2], *mean_codes[2];
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    most[level] = take(count * 4, 0x41);
    mean[level] = take(count * 4, 0x41);
    most_codes[level] = take(count, 0x41);
    mean_codes[level] = take(count, 0x41);
    for (int half = 0; half < 2; half++) {
      size_t m0 = half ? rows / 3 : 0, m1 = half ? rows : rows / 3;
      t->maxpool_f32(x, offsets, taps, n, most[level], m0, m1);
      t->avgpool_f32(x, offsets, taps, n, inside, mean[level], m0, m1);
      t->maxpool_u8(codes, offsets, taps, n, most_codes[level], m0, m1);
      t->avgpool_u8(codes, offsets, taps, n, inside, 100, 1.3, 90, 3, 250, mean_codes[level], m0, m1);
    }
  }
  same_floats("maxpool_f32", most[0], most[1], count);
  close_floats("avgpool_f32", mean[0], mean[1], count, NULL, 1e-6f, 1);
  same("maxpool_u8", most_codes[0], most_codes[1], count, 1);
  same("avgpool_u8", mean_codes[0], mean_codes[1], count, 1);
}

void test_pooling(void) { each_window(check); }
