// 3×3 convolution of stride 1, the specification: every product. Packed: the weights as they are.
#include "scalar.h"

static size_t packed_bytes(size_t n, size_t k) { return n * 9 * k * sizeof(float); }
static size_t scratch_bytes(size_t n, size_t k) { return (void)n, (void)k, 0; }

static void pack(size_t n, size_t k, const float *b, float *matrix, void *packed) {
  (void)matrix;
  memcpy(packed, b, packed_bytes(n, k));
}

static float output(const ck_conv3x3_f32 *w, size_t y, size_t x, size_t j) {
  float sum = 0;
  for (size_t tap = 0; tap < 9; tap++) {
    size_t row = y + tap / 3, column = x + tap % 3;
    if (row < w->pad_top || row - w->pad_top >= w->height) continue;
    if (column < w->pad_left || column - w->pad_left >= w->width) continue;
    const float *a = w->a + ((row - w->pad_top) * w->width + column - w->pad_left) * w->k;
    const float *b = (const float *)w->packed + (j * 9 + tap) * w->k;
    for (size_t i = 0; i < w->k; i++) sum += a[i] * b[i];
  }
  return sum;
}

static void conv3x3(const ck_conv3x3_f32 *w, size_t t0, size_t t1) {
  size_t across = ck_divide_up(w->out_width, 4);
  for (size_t t = t0; t < t1; t++) {
    size_t y0 = t / across * 4, x0 = t % across * 4;
    for (size_t y = y0; y < ck_min(y0 + 4, w->out_height); y++)
      for (size_t x = x0; x < ck_min(x0 + 4, w->out_width); x++)
        for (size_t j = 0; j < w->n; j++) {
          size_t i = y * w->out_width + x;
          float sum = output(w, y, x, j);
          if (w->bias) sum += w->bias[j];
          if (w->residual) sum += w->residual[i * w->residual_stride + j];
          w->c[i * w->c_stride + j] = ck_clamp(sum, w->lower, w->upper);
        }
  }
}

void ck_scalar_conv3x3(ck_table *table) {
  table->packed_bytes_3x3 = packed_bytes;
  table->scratch_bytes_3x3 = scratch_bytes;
  table->pack_3x3 = pack;
  table->conv3x3_f32 = conv3x3;
}
