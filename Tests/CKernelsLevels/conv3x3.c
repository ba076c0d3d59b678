#include <math.h>

#include "support.h"

typedef struct {
  size_t height, width, k, n, pad;
} image_size;

static void check(image_size s) {
  begin("conv3x3_f32", "%zu x %zu pad %zu k %zu n %zu", s.height, s.width, s.pad, s.k, s.n);
  size_t out_height = s.height + 2 * s.pad - 2, out_width = s.width + 2 * s.pad - 2, outputs = out_height * out_width;
  size_t stride = s.n + 1, count = (outputs - 1) * stride + s.n, tiles = (out_height + 3) / 4 * ((out_width + 3) / 4);
  const float *b = floats(s.n * 9 * s.k, -1, 1);
  ck_conv3x3_f32 w = {.a = floats(s.height * s.width * s.k, -1, 1), .height = s.height, .width = s.width, .k = s.k,
                      .pad_top = s.pad, .pad_left = s.pad, .out_height = out_height, .out_width = out_width, .n = s.n,
                      .c_stride = stride, .residual_stride = s.n, .lower = -INFINITY, .upper = INFINITY};
  const float *bias = floats(s.n, -1, 1), *residual = floats(outputs * s.n, -1, 1);
  for (int extras = 0; extras < 2; extras++) {
    if (extras) w.bias = bias, w.residual = residual, w.lower = -2, w.upper = 1.5f;
    float *c[3];
    for (int run = 0; run < 3; run++) {
      const ck_table *table = run == 2 ? &scalar : &ours;
      void *packed = take(table->packed_bytes_3x3(s.n, s.k), 0x33);
      table->pack_3x3(s.n, s.k, b, take(s.n * s.k * 4, 0), packed);
      w.packed = packed;
      w.scratch = take((table->scratch_bytes_3x3(s.n, s.k) + 63) / 64 * 64, 0xFF);
      w.c = c[run] = take(count * 4, 0x41);
      size_t middle = run == 1 ? tiles / 2 : 0;
      table->conv3x3_f32(&w, 0, middle);
      table->conv3x3_f32(&w, middle, tiles);
    }
    same_floats("in parts", c[1], c[0], count);
    close_floats(extras ? "bias residual clamp" : "", c[0], c[2], count, NULL, 1e-5f, sqrtf((float)(9 * s.k)));
  }
}

void test_conv3x3(void) {
  static const size_t channels[] = {1, 3, 4, 5, 8, 16, 17, 31, 33};
  for (size_t height = 3; height <= 10; height++)
    for (size_t c = 0; c < COUNT(channels); c++)
      for (size_t pad = 0; pad < 3; pad++)
        check((image_size){height, 13 - height, channels[c], channels[COUNT(channels) - 1 - c], pad});
  check((image_size){40, 41, 20, 9, 1});
  check((image_size){9, 9, 100, 130, 1});
}
