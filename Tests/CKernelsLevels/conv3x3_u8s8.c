#include <math.h>
#include <string.h>

#include "support.h"

typedef struct {
  size_t height, width, k, n, pad;
} image_size;

/// What the caller asks of the epilogue.
typedef struct {
  ck_output output;
  int bias, residual;
  int32_t lower, upper;
} options;

static const options all[] = {
  {CK_OUT_U8, 1, 0, 0, 255}, {CK_OUT_U8, 0, 0, 30, 200}, {CK_OUT_U8, 1, 1, 0, 255},  {CK_OUT_U8, 0, 1, 5, 250},
  {CK_OUT_S32, 1, 0, 0, 0},  {CK_OUT_S32, 0, 0, 0, 0},   {CK_OUT_F32, 1, 0, 0, 0},   {CK_OUT_F32, 0, 1, 0, 0},
  {CK_OUT_F32, 1, 1, 0, 0},
};

/// What codes and weights are.
typedef enum { RANDOM, HIGHEST, LOWEST, SIGNS, LARGE } contents;
static const char *const names[] = {"", " all 255, 127", " all 0, -128", " extremes only", " large multipliers"};

static void run(const ck_table *table, ck_conv3x3_u8s8 w, const int8_t *b, void *c, size_t middle, size_t tiles) {
  const size_t n = w.product.n, k = w.product.rows.k;
  void *packed = take(table->packed_bytes_3x3_u8s8(n, k), 0x55);
  table->pack_3x3_u8s8(n, k, b, packed);
  w.product.packed = packed;
  w.scratch = take((table->scratch_bytes_3x3_u8s8(n, k) + 63) / 64 * 64, 0xFF);
  w.product.c = c;
  table->conv3x3_u8s8(&w, 0, middle);
  table->conv3x3_u8s8(&w, middle, tiles);
}

static void check_with(image_size s, const options *o, contents kind) {
  begin("conv3x3_u8s8", "%zu x %zu pad %zu k %zu n %zu output %d%s%s%s", s.height, s.width, s.pad, s.k, s.n, o->output,
        o->bias ? " bias" : "", o->residual ? " residual" : "", names[kind]);
  size_t out_height = s.height + 2 * s.pad - 2, out_width = s.width + 2 * s.pad - 2, outputs = out_height * out_width;
  size_t stride = s.n + 3, count = (outputs - 1) * stride + s.n, tiles = (out_height + 3) / 4 * ((out_width + 3) / 4);
  size_t depth = 9 * s.k, size = o->output == CK_OUT_U8 ? 1 : 4, codes = s.height * s.width * s.k;

  uint8_t *a = bytes(codes, 0, 255);
  int8_t *b = signed_bytes(s.n * depth, -128, 127);
  for (size_t i = 0; i < codes; i++) {
    if (kind == HIGHEST || kind == LOWEST) a[i] = kind == HIGHEST ? 255 : 0;
    if (kind == SIGNS) a[i] = a[i] & 1 ? 255 : 0;
  }
  for (size_t i = 0; i < s.n * depth; i++) {
    if (kind == HIGHEST || kind == LOWEST) b[i] = kind == HIGHEST ? 127 : -128;
    if (kind == SIGNS) b[i] = b[i] & 1 ? 127 : -128;
  }
  if (kind == LARGE) memset(b + s.n / 2 * depth, 0, depth);
  int32_t *sums = take(s.n * 4, 0);
  for (size_t i = 0; i < s.n * depth; i++) sums[i / depth] += b[i];
  // About the spread of the sums over the spread of the codes.
  float typical = kind == LARGE ? 1e4f : 100 / (64 * 64 * sqrtf((float)(depth + 1)));
  float *multiplier = floats(s.n, 0.5f * typical, 2 * typical);
  if (kind == LARGE) multiplier[s.n / 2] = INFINITY;
  const int32_t *bias = integers(s.n, -20000, 20000);
  const float *bias_f = floats(s.n, -1, 1), *residual_f = floats(outputs * (s.n + 1), -1, 1);
  const uint8_t *residual = bytes(outputs * (s.n + 1), 0, 255);
  ck_gemm_u8s8 product = {
    .rows = {.a = a, .taps = 9, .k = s.k}, .n = s.n, .column_sums = sums,
    .a_zero = kind == HIGHEST ? 255 : kind == LOWEST ? 0 : 113, .output = o->output, .c_stride = stride,
    .bias = o->bias ? bias : NULL, .multiplier = multiplier, .bias_f = o->bias ? bias_f : NULL, .a_scale = 0.37f,
    .residual_f = o->residual ? residual_f : NULL, .lower_f = -40, .upper_f = 60, .zero = 99, .lower = o->lower,
    .upper = o->upper, .residual = o->residual ? residual : NULL, .residual_stride = s.n + 1, .r_zero = 120,
    .branch_multiplier = 0.61f, .r_multiplier = 0.83f, .sum_zero = 101, .sum_lower = 20, .sum_upper = 230};
  ck_conv3x3_u8s8 w = {.product = product, .height = s.height, .width = s.width, .pad_top = s.pad, .pad_left = s.pad,
                       .out_height = out_height, .out_width = out_width};
  void *expected = take(count * size, 0x41), *whole = take(count * size, 0x41), *parts = take(count * size, 0x41);
  run(&scalar, w, b, expected, 0, tiles);
  run(&ours, w, b, whole, 0, tiles);
  run(&ours, w, b, parts, tiles / 3, tiles);
  same("", whole, expected, count, size);
  same("in parts", parts, expected, count, size);
}

static void check(image_size s, contents kind) {
  for (size_t o = 0; o < COUNT(all); o++) check_with(s, all + o, kind);
}

/// The same sums as gemm_u8s8, of which this is a case.
static void check_product(image_size s) {
  begin("conv3x3_u8s8", "%zu x %zu k %zu n %zu as a product", s.height, s.width, s.k, s.n);
  size_t outputs = s.height * s.width, depth = 9 * s.k;
  const uint8_t *a = bytes(outputs * s.k, 0, 255);
  const int8_t *b = signed_bytes(s.n * depth, -128, 127);
  int32_t *sums = take(s.n * 4, 0), *offsets = take(outputs * 9 * 4, 0);
  for (size_t i = 0; i < s.n * depth; i++) sums[i / depth] += b[i];
  for (size_t i = 0; i < outputs * 9; i++) {
    size_t y = i / 9 / s.width + i % 9 / 3 - 1, x = i / 9 % s.width + i % 3 - 1;
    offsets[i] = y < s.height && x < s.width ? (int32_t)((y * s.width + x) * s.k) : -1;
  }
  void *packed = take(ours.packed_bytes_s8(s.n, 9, s.k), 0x55);
  ours.pack_s8(s.n, 9, s.k, b, packed);
  int32_t *expected = take(outputs * s.n * 4, 0), *found = take(outputs * s.n * 4, 0);
  ck_gemm_u8s8 g = {.rows = {a, 0, offsets, 9, s.k, take(s.k, 7)}, .n = s.n, .packed = packed, .column_sums = sums,
                    .a_zero = 7, .output = CK_OUT_S32, .c = expected, .c_stride = s.n};
  ours.gemm_u8s8(&g, 0, outputs, 0, s.n);
  ck_conv3x3_u8s8 w = {.product = g, .height = s.height, .width = s.width, .pad_top = 1, .pad_left = 1,
                       .out_height = s.height, .out_width = s.width};
  size_t tiles = (s.height + 3) / 4 * ((s.width + 3) / 4);
  run(&ours, w, b, found, tiles / 2, tiles);
  same("", found, expected, outputs * s.n, 4);
}

void test_conv3x3_u8s8(void) {
  if (!ours.conv3x3_u8s8) return;
  static const size_t channels[] = {1, 2, 3, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40};
  for (size_t height = 3; height <= 10; height++)
    for (size_t c = 0; c < COUNT(channels); c++)
      for (size_t pad = 0; pad < 3; pad++)
        check((image_size){height, 13 - height, channels[c], channels[COUNT(channels) - 1 - c], pad}, RANDOM);
  // Smaller than a window, than a tile.
  for (size_t height = 1; height <= 3; height++)
    for (size_t width = 1; width <= 6; width++) check((image_size){height, width, 5, 7, 1}, RANDOM);
  // More tiles than are transformed at a time.
  check((image_size){40, 41, 20, 9, 1}, RANDOM);
  // One sum, and several, of channels.
  static const size_t deep[] = {223, 224, 225, 226, 227, 228, 229, 448, 449, 700};
  for (size_t d = 0; d < COUNT(deep); d++)
    for (contents kind = RANDOM; kind <= SIGNS; kind++) check((image_size){5, 6, deep[d], 19, 1}, kind);
  // The last sum is of few channels; sums near the end of int32.
  check((image_size){3, 3, 19 * 224 + 1, 3, 1}, SIGNS);
  check((image_size){3, 3, 7000, 2, 1}, HIGHEST);
  check((image_size){3, 3, 7000, 2, 1}, LOWEST);
  for (contents kind = HIGHEST; kind <= LARGE; kind++)
    for (size_t k = 1; k <= 18; k++) check((image_size){7, 6, k, 24, 1}, kind);
  for (size_t k = 16; k <= 256; k *= 2) check_product((image_size){9, 10, k, 40, 1});
}
