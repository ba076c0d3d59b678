// Every numeric inner loop of Lathe, in levels. The scalar level is the specification and is complete; each higher
// level overrides what it does better. Integer results are equal at every level; float results within 1e-5 relative
// of the largest term, and never dependent on how a caller splits rows or columns.
//
// Conventions. Lengths and strides are in elements. Buffers may be unaligned unless said. Nothing here allocates,
// keeps state, or reads past the lengths given. `rne` is round half to even.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

// The levels of one architecture ascend: each is built on those before it. CK_NEON includes dot products (ARMv8.2).
typedef enum { CK_SCALAR = 0, CK_AVX2 = 1, CK_AVX512VNNI = 2, CK_NEON = 3 } ck_level;
enum { CK_LEVELS = 4 };

// Rows of the left operand of a matrix product.
//
// Direct (offsets NULL, taps 1): row i is k elements from a + i * stride.
// Indirect (a convolution on NHWC without im2col): row i consists of `taps` pieces of k elements; piece t starts at
// a + offsets[i * taps + t], or is the row `padding` (k elements) where that offset is negative. Offsets are in
// elements and reusable for every image of a batch: only `a` moves.
typedef struct {
  const void *a;
  size_t stride;
  const int32_t *offsets;
  size_t taps;
  size_t k;
  const void *padding;
} ck_rows;

// C = clamp(A·B + bias + residual, lower, upper); A float32 rows, B packed by pack_f32.
typedef struct {
  ck_rows rows;
  size_t n;
  const void *packed;
  const float *bias;         // [n] or NULL
  float *c;
  size_t c_stride;
  const float *residual;     // [m, n] with residual_stride, or NULL
  size_t residual_stride;
  float lower, upper;        // -INFINITY, INFINITY for none
} ck_gemm_f32;

// What a row of logits says.
typedef struct {
  float highest, next;       // the largest, and the largest of the others (-INFINITY where there are none)
  size_t best;               // the first that is the largest
  double sum;                // Σ e^(x - highest)
} ck_logits;

// Attention of float rows to keys and values, whose scores are held for a tile of keys only.
//
// `heads` query heads share these keys: row r is head r % heads of query r / heads, and starts at
// (r / heads) · q_query + (r % heads) · q_head, its result alike. Query i sees all keys or, where `causal`, keys up to
// first + i, and of those (with a window) the last `window`. y = Σ_j p_j·v_j over them with
// p = softmax(softcap(scale · q·k) + mask), softcap(x) = c · tanh(x / c). A row that sees no key becomes zeros.
typedef struct {
  const float *q;
  float *y;
  size_t q_query, q_head, y_query, y_head;
  size_t heads;
  size_t size, value_size;     // elements of a query and key, and of a value
  // Key j starts at k + j · k_stride; or, where k is NULL, is k_scales[j] · (k_codes[j · k_stride + i] - 128). So are values.
  const float *k, *v;
  const uint8_t *k_codes, *v_codes;
  const float *k_scales, *v_scales;
  size_t k_stride, v_stride;
  size_t keys;
  int causal;
  size_t first;
  size_t window;               // 0 for none
  const float *mask;           // added at query · mask_query + head · mask_head + key · mask_key (0 or 1); or NULL
  size_t mask_query, mask_head, mask_key;
  float scale, softcap;        // softcap 0 for none
  void *scratch;               // attention_scratch_bytes(…) per calling thread, 64-byte aligned
} ck_attention_f32;

// 3×3 convolution of stride 1 on one image [height, width, k], outputs [out_height, out_width, n]:
// C = clamp(Σ A·B + bias + residual, lower, upper). Levels may transform the image (Winograd), which costs accuracy:
// within 1e-4 relative of the largest term, and a NaN or infinite input reaches all outputs of its tile.
typedef struct {
  const float *a;
  size_t height, width, k;
  size_t pad_top, pad_left;  // by which the first window lies outside
  size_t out_height, out_width, n;
  const void *packed;        // by pack_3x3
  const float *bias;         // [n] or NULL
  float *c;
  size_t c_stride;           // between outputs
  const float *residual;     // or NULL
  size_t residual_stride;
  float lower, upper;
  void *scratch;             // scratch_bytes_3x3(…) per calling thread, 64-byte aligned
} ck_conv3x3_f32;

// How an int32 sum becomes an output.
typedef enum {
  CK_OUT_S32 = 0,  // acc + bias, int32
  CK_OUT_F32 = 1,  // clamp_f(float(acc) * (a_scale * multiplier[n]) + bias_f[n] (+ residual_f))
  CK_OUT_U8 = 2,   // clamp(rne(float(acc + bias[n]) * multiplier[n]) + zero, lower, upper)
} ck_output;

// u8 × s8 → int32, exact. acc = Σ (a - a_zero)·(b - b_zero): the caller's zero points are taken out with column sums
// (and row sums when b_zero is given), so that padding rows must hold a_zero.
typedef struct {
  ck_rows rows;              // uint8
  size_t n;
  const void *packed;        // by pack_s8
  const int32_t *column_sums;  // Σ over taps and k of b, [n]
  int32_t a_zero;            // one for all rows, or…
  const int32_t *a_zeros;    // …one per row (dynamic, per token) where not NULL
  const int32_t *b_zero;     // [n], or NULL for symmetric weights
  ck_output output;
  void *c;
  size_t c_stride;
  const int32_t *bias;       // [n] or NULL: S32 and U8
  const float *multiplier;   // [n]: F32: weight scale; U8: input scale · weight scale / output scale
  // F32
  const float *bias_f;       // [n] or NULL
  float a_scale;             // one for all rows, or…
  const float *a_scales;     // …one per row where not NULL
  const float *residual_f;   // [m, n] with residual_stride, or NULL
  float lower_f, upper_f;
  // U8
  int32_t zero;              // output zero point (of the branch, when there is a residual)
  int32_t lower, upper;      // output codes, 0…255
  // U8 with residual: t = the U8 result above, then
  // y = clamp(rne(float(t - zero)·branch_multiplier + float(r - r_zero)·r_multiplier) + sum_zero, sum_lower, sum_upper);
  // two roundings of products and one of the sum, no FMA contraction.
  const uint8_t *residual;   // [m, n] with residual_stride, or NULL
  size_t residual_stride;
  int32_t r_zero;
  float branch_multiplier, r_multiplier;
  int32_t sum_zero, sum_lower, sum_upper;
} ck_gemm_u8s8;

// u8 × s8 3×3 convolution of stride 1 on one image [height, width, k], outputs [out_height, out_width, n] as rows
// [out_height · out_width, n]; positions outside the image hold a_zero. Levels may transform the image (Winograd), in
// whole numbers: the result is that of the same product by gemm_u8s8, bit for bit, for any k.
typedef struct {
  // rows.a is the image, rows.k its channels and rows.taps 9, the rest of rows is not read; packed is by pack_3x3_u8s8;
  // a_zeros, a_scales and b_zero are NULL.
  ck_gemm_u8s8 product;
  size_t height, width;
  size_t pad_top, pad_left;  // by which the first window lies outside
  size_t out_height, out_width;
  void *scratch;             // scratch_bytes_3x3_u8s8(…) per calling thread, 64-byte aligned
} ck_conv3x3_u8s8;

// Float rows times weights held as codes with group scales: C = clamp(A·dequantize(B) + bias + residual). For few rows a
// level may take a group's activations as whole numbers of 24 bits: exact to 1e-7 of the largest of them.
// b[n][t][k] = scales[n][t][k / group] · (code - zero[n][t][k / group]).
typedef struct {
  ck_rows rows;              // float32
  size_t m, n;               // of the whole product: few rows are computed in another way than many
  const void *packed;        // by pack_wq: codes, scales and zeros of this matrix
  size_t bits;               // 8, 4 or 2 as given to pack_wq
  size_t group;              // as given to pack_wq
  const float *bias;
  float *c;
  size_t c_stride;
  const float *residual;
  size_t residual_stride;
  float lower, upper;
  void *scratch;             // wq_scratch_bytes(…) per calling thread, 64-byte aligned
} ck_gemm_wq;

// uint8 rows times weights with group scales, float out (dynamic and static layers whose weights are in groups):
// c = clamp_f(a_scale · Σ_g scales[n][t][g] · Σ_{k in g} (a - a_zero)(code - zero) + bias_f).
typedef struct {
  ck_rows rows;              // uint8
  size_t n;
  const void *packed;        // by pack_wq
  size_t bits, group;
  int32_t a_zero;
  const int32_t *a_zeros;
  float a_scale;
  const float *a_scales;
  const float *bias_f;
  float *c;
  size_t c_stride;
  float lower, upper;
  void *scratch;
} ck_gemm_u8wq;

// Windows without gaps on one image [height, width, channels].
typedef struct {
  size_t height, width;                // of the image
  size_t out_width;                    // windows along a row of the image
  size_t kernel_height, kernel_width;  // of a window
  size_t step_y, step_x;               // between neighbouring windows
  size_t pad_top, pad_left;            // by which the first window lies outside
} ck_window;

// Depthwise convolution, channel multiplier 1: out[i][ch] = Σ_t x[offsets[i*taps+t] + ch] · w[t][ch].
typedef struct {
  const float *a;
  const int32_t *offsets;    // [rows, taps], negative = padding
  const ck_window *window;   // what the offsets say, for levels that can go faster knowing it; or NULL
  size_t taps, channels;
  const float *padding;      // channels zeros
  const float *weights;      // [taps, channels]
  const float *bias;         // [channels] or NULL
  float *c;
  size_t c_stride;
  const float *residual;
  size_t residual_stride;
  float lower, upper;
} ck_depthwise_f32;

typedef struct {
  const uint8_t *a;
  const int32_t *offsets;
  const ck_window *window;
  size_t taps, channels;
  const uint8_t *padding;    // channels times a_zero
  const int8_t *weights;     // [taps, channels]
  const int32_t *column_sums;  // [channels]
  const int32_t *b_zero;     // [channels] or NULL
  int32_t a_zero;
  ck_output output;          // F32 or U8, epilogue as in ck_gemm_u8s8
  void *c;
  size_t c_stride;
  const int32_t *bias;
  const float *multiplier;
  const float *bias_f;
  float a_scale;
  float lower_f, upper_f;
  int32_t zero, lower, upper;
  const uint8_t *residual;
  size_t residual_stride;
  int32_t r_zero;
  float branch_multiplier, r_multiplier;
  int32_t sum_zero, sum_lower, sum_upper;
} ck_depthwise_u8s8;

// Products of pieces of rows with other rows, summed over the rows: the gradient of weights, and Aᵀ·B.
// c[(t · rows.k + i) · c_stride + j] += Σ_m a[m][t][i]·b[m · b_stride + j]; a piece with a negative offset is skipped, and
// rows.padding is not read.
typedef struct {
  ck_rows rows;              // float32
  const float *b;
  size_t b_stride, n;
  float *c;                  // [taps · k, n] with c_stride
  size_t c_stride;
} ck_outer_f32;

// With g = gradient + decay·w: first = beta1·first + (1 - beta1)·g; second = beta2·second + (1 - beta2)·g²;
// w -= rate·(first·correction1 / (√(second·correction2) + epsilon) + decoupled_decay·w).
typedef struct {
  float rate, beta1, beta2, epsilon;
  float decay, decoupled_decay;    // of Adam, and of AdamW
  float correction1, correction2;  // 1 / (1 - beta^step)
} ck_adam_f32;

typedef struct {
  ck_level level;

  // --- matrix products. Each call computes rows m0..<m1 and columns n0..<n1; n0 must be a multiple of
  // column_block. b for packing is [n][taps][k], row-major.
  size_t column_block;
  size_t (*packed_bytes_f32)(size_t n, size_t taps, size_t k);
  void (*pack_f32)(size_t n, size_t taps, size_t k, const float *b, void *packed);
  void (*gemm_f32)(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1);
  // The same for few rows, which are direct, with B read where it lies: `packed` is b itself, and n0 may be any column.
  void (*rows_f32)(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1);

  // One call computes the outputs of tiles t0..<t1 of 4×4, numbered row by row; b is [n][9][k], `matrix` n · k floats to
  // work in.
  size_t (*packed_bytes_3x3)(size_t n, size_t k);
  size_t (*scratch_bytes_3x3)(size_t n, size_t k);
  void (*pack_3x3)(size_t n, size_t k, const float *b, float *matrix, void *packed);
  void (*conv3x3_f32)(const ck_conv3x3_f32 *w, size_t t0, size_t t1);

  size_t (*packed_bytes_s8)(size_t n, size_t taps, size_t k);
  void (*pack_s8)(size_t n, size_t taps, size_t k, const int8_t *b, void *packed);
  void (*gemm_u8s8)(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1);

  // One call computes the outputs of tiles t0..<t1 of 4×4, numbered row by row; a caller may split anywhere, best at
  // multiples of 6. b is [n][9][k]. All four are NULL where gemm_u8s8 is faster; elsewhere they pay from 16 channels and
  // 4×4 outputs on, and with fewer channels from 16×16 outputs on. Packed weights may take 8 times the bytes of b.
  size_t (*packed_bytes_3x3_u8s8)(size_t n, size_t k);
  size_t (*scratch_bytes_3x3_u8s8)(size_t n, size_t k);
  void (*pack_3x3_u8s8)(size_t n, size_t k, const int8_t *b, void *packed);
  void (*conv3x3_u8s8)(const ck_conv3x3_u8s8 *w, size_t t0, size_t t1);

  // codes: int8 values already in the range of `bits`; zeros may be NULL (symmetric).
  size_t (*packed_bytes_wq)(size_t n, size_t taps, size_t k, size_t bits, size_t group);
  void (*pack_wq)(size_t n, size_t taps, size_t k, size_t bits, size_t group, const int8_t *codes,
                  const float *scales, const int32_t *zeros, void *packed);
  size_t (*wq_scratch_bytes)(size_t taps, size_t k);
  void (*gemm_wq)(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1);
  void (*gemm_u8wq)(const ck_gemm_u8wq *g, size_t m0, size_t m1, size_t n0, size_t n1);

  // --- depthwise, rows m0..<m1 (one row = one output pixel)
  void (*depthwise_f32)(const ck_depthwise_f32 *d, size_t m0, size_t m1);
  void (*depthwise_u8s8)(const ck_depthwise_u8s8 *d, size_t m0, size_t m1);

  // --- between float and codes
  void (*minmax_f32)(const float *x, size_t n, float *lowest, float *highest);  // NaN is skipped; n 0 gives +inf, -inf
  void (*quantize_f32_u8)(const float *x, size_t n, float scale, int32_t zero, int32_t lower, int32_t upper, uint8_t *y);
  void (*dequantize_u8_f32)(const uint8_t *x, size_t n, float scale, int32_t zero, float *y);
  void (*requantize_u8)(const uint8_t *x, size_t n, int32_t x_zero, float multiplier, int32_t zero, int32_t lower,
                        int32_t upper, uint8_t *y);
  // rne(float(a-za)·ma + float(b-zb)·mb) + zero, clamped
  void (*add_u8)(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, float a_multiplier, int32_t b_zero,
                 float b_multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *y);
  void (*mul_u8)(const uint8_t *a, const uint8_t *b, size_t n, int32_t a_zero, int32_t b_zero, float multiplier,
                 int32_t zero, int32_t lower, int32_t upper, uint8_t *y);
  void (*lookup_u8)(const uint8_t *x, size_t n, const uint8_t *table, uint8_t *y);
  // y[i·stride + j] = min(y[i·stride + j], upper[j]) for j < n: a clamp with a bound of each channel
  void (*cap_u8)(uint8_t *y, size_t rows, size_t stride, const uint8_t *upper, size_t n);

  // --- pooling on NHWC by offsets (as in depthwise); count is the divisor of each row (padding excluded or not)
  void (*maxpool_f32)(const float *a, const int32_t *offsets, size_t taps, size_t channels, float *c, size_t m0, size_t m1);
  void (*maxpool_u8)(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, uint8_t *c, size_t m0, size_t m1);
  void (*avgpool_f32)(const float *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count, float *c,
                      size_t m0, size_t m1);
  // clamp(rne(float(Σ (q - a_zero)) · multiplier / count) + zero): multiplier = s_x / s_y, divided by count in double first
  void (*avgpool_u8)(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                     int32_t a_zero, double multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *c,
                     size_t m0, size_t m1);

  // --- elementwise float32; y may be x
  void (*clamp_f32)(const float *x, size_t n, float lower, float upper, float *y);
  void (*add_f32)(const float *a, const float *b, size_t n, float *y);
  void (*sub_f32)(const float *a, const float *b, size_t n, float *y);
  void (*mul_f32)(const float *a, const float *b, size_t n, float *y);
  void (*div_f32)(const float *a, const float *b, size_t n, float *y);
  void (*add_scalar_f32)(const float *a, float b, size_t n, float *y);
  void (*mul_scalar_f32)(const float *a, float b, size_t n, float *y);
  void (*exp_f32)(const float *x, size_t n, float *y);
  void (*tanh_f32)(const float *x, size_t n, float *y);
  void (*sigmoid_f32)(const float *x, size_t n, float *y);
  void (*erf_f32)(const float *x, size_t n, float *y);
  void (*gelu_f32)(const float *x, size_t n, int tanh_form, float *y);
  void (*silu_f32)(const float *x, size_t n, float *y);
  void (*hardswish_f32)(const float *x, size_t n, float *y);
  void (*sqrt_f32)(const float *x, size_t n, float *y);

  // --- a row of n > 0 logits; terms are added in float over at most 1024 of them, and those sums in double
  void (*logits_f32)(const float *x, size_t n, ck_logits *said);
  // Σ e^(x - highest)·(x - y); a term whose power is 0 is 0
  double (*logit_difference_f32)(const float *x, const float *y, size_t n, float highest);

  // --- rows of n: softmax, and normalisation (x - mean)/sqrt(var + epsilon)·gain + bias (gain, bias [n] or NULL)
  void (*softmax_f32)(const float *x, size_t rows, size_t n, float *y);
  void (*layernorm_f32)(const float *x, size_t rows, size_t n, float epsilon, const float *gain, const float *bias, float *y);
  void (*rmsnorm_f32)(const float *x, size_t rows, size_t n, float epsilon, const float *gain, float *y);
  float (*sum_f32)(const float *x, size_t n);

  // --- attention, rows r0..<r1
  size_t (*attention_scratch_bytes)(size_t size, size_t value_size);
  void (*attention_f32)(const ck_attention_f32 *a, size_t r0, size_t r1);
  // Turns pairs of the first `turned` features of one head: (a, b) becomes (a·cos - b·sin, a·sin + b·cos), with turned / 2
  // cosines and sines. Pairs are neighbours where `neighbours`, else the two halves. The other features are copied; y may
  // be x.
  void (*rotate_f32)(const float *x, size_t size, size_t turned, int neighbours, const float *cosines, const float *sines,
                     float *y);

  // --- data movement; strides of copy_rows are in bytes, and rows do not overlap
  void (*copy_rows)(const void *x, size_t rows, size_t bytes, size_t x_stride, void *y, size_t y_stride);
  void (*transpose_32)(const void *x, size_t rows, size_t columns, size_t x_stride, void *y, size_t y_stride);
  void (*transpose_8)(const void *x, size_t rows, size_t columns, size_t x_stride, void *y, size_t y_stride);

  // --- conversion
  void (*f16_to_f32)(const uint16_t *x, size_t n, float *y);
  void (*f32_to_f16)(const float *x, size_t n, uint16_t *y);
  void (*bf16_to_f32)(const uint16_t *x, size_t n, float *y);
  void (*f32_to_bf16)(const float *x, size_t n, uint16_t *y);

  // --- training. Where a text says +=, what was there counts. Each element of a c is one chain of products over the rows
  // that begins with it: it does not depend on how a caller splits taps, k or rows. lowest and highest are whole numbers.
  // y = scale·clamp(rne(x / scale), lowest, highest), equal at every level; y may be x
  void (*fake_quantize_f32)(const float *x, size_t n, float scale, float lowest, float highest, float *y);
  // With v = x / scale, inside where lowest ≤ v ≤ highest: dx = inside ? dy : 0, which may be dy;
  // sums[0] += Σ dy·(inside ? rne(v) - v : clamp(v, lowest, highest)); sums[1] += Σ dy of those not inside.
  void (*fake_quantize_gradient_f32)(const float *x, const float *dy, size_t n, float scale, float lowest, float highest,
                                     float *dx, float *sums);
  // The same of [rows, n] with a scale and bounds of each column, and sums of each column.
  void (*fake_quantize_columns_f32)(const float *x, size_t rows, size_t n, const float *scale, const float *lowest,
                                    const float *highest, float *y);
  void (*fake_quantize_columns_gradient_f32)(const float *x, const float *dy, size_t rows, size_t n, const float *scale,
                                             const float *lowest, const float *highest, float *dx, float *scale_sums,
                                             float *outside_sums);
  // Taps t0..<t1 and k0..<k1 of c, over rows m0..<m1. A call reads and writes its part of c at least once, and for every
  // 128 to 256 rows: give small images together, with offsets for all of them.
  void (*outer_f32)(const ck_outer_f32 *o, size_t t0, size_t t1, size_t k0, size_t k1, size_t m0, size_t m1);
  // c[t·channels + ch] += Σ_m a[offsets[m·taps + t] + ch]·dy[m·dy_stride + ch]; negative offsets are skipped
  void (*depthwise_outer_f32)(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                              size_t dy_stride, float *c, size_t m0, size_t m1);
  // dx, laid out as a, += dy [rows, channels] at the first tap of a window that is not below what maxpool_f32 gives.
  // Windows that overlap write the same dx: their calls, here and below, must not run at the same time.
  void (*maxpool_gradient_f32)(const float *a, const int32_t *offsets, size_t taps, size_t channels, const float *dy,
                               float *dx, size_t m0, size_t m1);
  // dx += dy / count at every tap inside
  void (*avgpool_gradient_f32)(const int32_t *offsets, size_t taps, size_t channels, const int32_t *count, const float *dy,
                               float *dx, size_t m0, size_t m1);
  // dx = lower < y < upper ? dy : 0, which may be dy
  void (*clamp_gradient_f32)(const float *y, const float *dy, size_t n, float lower, float upper, float *dx);
  // y[j] += Σ x[row·stride + j]
  void (*sum_columns_f32)(const float *x, size_t rows, size_t n, size_t stride, float *y);
  // Steps of optimizers, equal at every level: nothing is contracted.
  // velocity = momentum·velocity + gradient + decay·w; w -= rate·velocity
  void (*sgd_f32)(float *w, const float *gradient, float *velocity, size_t n, float rate, float momentum, float decay);
  void (*adam_f32)(const ck_adam_f32 *o, float *w, const float *gradient, float *first, float *second, size_t n);

  // --- what the processor can do at this level: each runs `rounds` of independent multiply–adds from registers and
  // returns the operations done, two for each multiply–add
  double (*peak_f32)(size_t rounds);
  double (*peak_u8s8)(size_t rounds);
  // Reads n 8-byte words, in steps of up to 512 bytes, and returns their or.
  uint64_t (*read_words)(const uint64_t *words, size_t n);
} ck_table;

/// Whether this processor can run `level`.
int ck_supported(ck_level level);
/// Fills the table of a level; 0 when the processor cannot run it.
int ck_table_for(ck_level level, ck_table *table);
/// The table in use: the best level, or the one LATHE_CPU=scalar|avx2|avx512vnni|neon names (an unknown or unsupported
/// name is reported by ck_forced_level_error). Chosen once.
const ck_table *ck_best(void);
/// NULL, or what is wrong with LATHE_CPU.
const char *ck_forced_level_error(void);
const char *ck_level_name(ck_level level);

/// Threads that share the chunks of one loop. Workers spin briefly after a loop, then sleep: an idle pool uses no
/// CPU.
typedef struct ck_pool ck_pool;
/// A pool of `threads` (at least 1, the caller of ck_pool_run included); NULL when no memory is left. It holds fewer
/// threads when the system gives no more.
ck_pool *ck_pool_create(int threads);
/// Ends the workers. No loop may be running.
void ck_pool_destroy(ck_pool *pool);
int ck_pool_threads(const ck_pool *pool);
/// Around loops that follow each other closely: in between workers stay awake. Each begin needs its end.
void ck_pool_begin(ck_pool *pool);
void ck_pool_end(ck_pool *pool);
/// Runs body(context, chunk, thread) for every chunk in 0..<chunks and returns when all are done. `thread`, in
/// 0..<threads, names the thread for scratch memory; the caller is 0. Which thread takes a chunk is not fixed. Callers
/// from several threads take turns; body must not run a loop on the same pool.
void ck_pool_run(ck_pool *pool, size_t chunks, void (*body)(void *context, size_t chunk, int thread), void *context);

#endif
