#include <math.h>

#include "support.h"

/// Outputs `gap` elements apart; `known` when the kernel is told the window that the offsets are of.
static void floats_of(window w, size_t gap, int known) {
  begin("depthwise_f32", "kernel %zu stride %zu channels %zu gap %zu%s", w.kernel, w.stride, w.channels, gap,
        known ? " window" : "");
  size_t rows = window_rows(w), taps = w.kernel * w.kernel, n = w.channels, stride = n + gap;
  ck_window geometry = window_geometry(w);
  ck_depthwise_f32 d = {.a = floats(HEIGHT * WIDTH * n, -1, 1), .offsets = window_offsets(w), .taps = taps,
                        .channels = n, .padding = take(n * 4, 0), .weights = floats(taps * n, -1, 1),
                        .window = known ? &geometry : NULL, .c_stride = stride, .residual_stride = n, .lower = -INFINITY, .upper = INFINITY};
  const float *bias = floats(n, -1, 1), *residual = floats(rows * n, -1, 1);
  for (int extras = 0; extras < 2; extras++) {
    if (extras) d.bias = bias, d.residual = residual, d.lower = -1.5f, d.upper = 1.25f;
    size_t count = (rows - 1) * stride + n;
    float *c[2];
    for (int level = 0; level < 2; level++) {
      const ck_table *table = level ? &scalar : &ours;
      d.c = c[level] = take(count * 4, 0x41);
      table->depthwise_f32(&d, 0, rows / 3);
      table->depthwise_f32(&d, rows / 3, rows);
    }
    close_floats(extras ? "bias residual clamp" : "", c[0], c[1], count, NULL, 1e-6f, (float)taps + 2);
  }
}

static void codes_of(window w, size_t gap, int known) {
  size_t rows = window_rows(w), taps = w.kernel * w.kernel, n = w.channels, stride = n + gap;
  ck_window geometry = window_geometry(w);
  for (int choice = 0; choice < 16; choice++) {
    int affine = choice & 1, biased = choice >> 1 & 1, added = choice >> 2 & 1, real = choice >> 3;
    if (real && added) continue;  // there is no float residual
    begin("depthwise_u8s8", "kernel %zu stride %zu channels %zu gap %zu%s%s%s%s%s", w.kernel, w.stride, n, gap,
          known ? " window" : "", affine ? " affine" : "", biased ? " bias" : "", added ? " residual" : "", real ? " float" : "");
    const int8_t *weights = signed_bytes(taps * n, -128, 127);
    int32_t *sums = take(n * 4, 0);
    for (size_t i = 0; i < taps * n; i++) sums[i % n] += weights[i];
    float typical = 100 / (74 * 74 * sqrtf((float)taps));
    ck_depthwise_u8s8 d = {
      .a = bytes(HEIGHT * WIDTH * n, 0, 255), .offsets = window_offsets(w), .taps = taps, .channels = n,
      .padding = take(n, 131), .weights = weights, .column_sums = sums, .a_zero = 131,
      .window = known ? &geometry : NULL,
      .output = real ? CK_OUT_F32 : CK_OUT_U8, .c_stride = stride, .a_scale = 0.7f, .lower_f = -50, .upper_f = 60,
      .zero = 110, .lower = 3, .upper = 250, .residual_stride = n, .r_zero = 99, .branch_multiplier = 0.9f,
      .r_multiplier = 0.6f, .sum_zero = 120, .sum_lower = 0, .sum_upper = 255,
      .multiplier = floats(n, 0.5f * typical, 2 * typical)};
    if (affine) d.b_zero = integers(n, -128, 127);
    if (biased) d.bias = integers(n, -900, 900), d.bias_f = floats(n, -1, 1);
    if (added) d.residual = bytes(rows * n, 0, 255);
    size_t count = (rows - 1) * stride + n, size = real ? 4 : 1;
    void *c[2];
    for (int level = 0; level < 2; level++) {
      const ck_table *table = level ? &scalar : &ours;
      d.c = c[level] = take(count * size, 0x41);
      table->depthwise_u8s8(&d, 0, rows / 3);
      table->depthwise_u8s8(&d, rows / 3, rows);
    }
    same("", c[0], c[1], count, size);
  }
}

static void check_floats(window w) {
  floats_of(w, 1, 0);
  floats_of(w, 0, 1);
  floats_of(w, 1, 1);
}

static void check_codes(window w) {
  codes_of(w, 1, 0);
  codes_of(w, 0, 1);
  codes_of(w, 1, 1);
}

void test_depthwise(void) {
  each_window(check_floats);
  each_window(check_codes);
}
