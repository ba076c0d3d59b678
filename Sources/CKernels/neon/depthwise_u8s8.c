// u8 × s8 depthwise convolution in 16 bits: sixteen channels at a time, widening multiply–adds to int32. Four rows
// share each load of the weights.
#include "epilogue.h"

#if defined(__aarch64__)

enum { ROWS = 4 };

CK_NEON_BEGIN

/// Sixteen bytes, or the first n of them.
CK_INLINE uint8x16_t load(const int whole, const void *p, size_t n) {
  return whole ? vld1q_u8(p) : v_load_bytes(p, n);
}

/// `rows` outputs from row i at channels ch..<ch+n, n ≤ 16 (`whole`: n = 16).
CK_INLINE void channels(const int rows, const int whole, const int affine, const ck_depthwise_u8s8 *d,
                        const ck_epilogue *e, int quick, size_t i, size_t ch, size_t n) {
  vi sums[ROWS * 4], row_sums[4];
  CK_UNROLL for (int v = 0; v < 4; v++) {
    vi start = quick ? ck_quick_correction(e, e->a_zero, ch + 4 * (size_t)v, (ptrdiff_t)n - 4 * v) : vi_set(0);
    CK_UNROLL for (int r = 0; r < rows; r++) sums[4 * r + v] = start;
    row_sums[v] = vi_set(0);
  }
  const int8_t *weights = d->weights + ch;
  for (size_t t = 0; t < d->taps; t++, weights += d->channels) {
    int8x16_t w = vreinterpretq_s8_u8(load(whole, weights, n));
    int16x8_t w_low = vmovl_s8(vget_low_s8(w)), w_high = vmovl_high_s8(w);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      int32_t offset = d->offsets[(i + (size_t)r) * d->taps + t];
      uint8x16_t x = load(whole, (offset < 0 ? d->padding : d->a + offset) + ch, n);
      int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x)));
      int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(x));
      vi *sum = sums + 4 * r;
      sum[0] = vmlal_s16(sum[0], vget_low_s16(low), vget_low_s16(w_low));
      sum[1] = vmlal_high_s16(sum[1], low, w_low);
      sum[2] = vmlal_s16(sum[2], vget_low_s16(high), vget_low_s16(w_high));
      sum[3] = vmlal_high_s16(sum[3], high, w_high);
      if (!affine) continue;
      row_sums[0] = vaddw_s16(row_sums[0], vget_low_s16(low));
      row_sums[1] = vaddw_high_s16(row_sums[1], low);
      row_sums[2] = vaddw_s16(row_sums[2], vget_low_s16(high));
      row_sums[3] = vaddw_high_s16(row_sums[3], high);
    }
  }

  if (quick) {
    vf m[4];
    CK_UNROLL for (int v = 0; v < 4; v++)
      m[v] = v_float(ck_four(e->multiplier + ch + 4 * v, (ptrdiff_t)n - 4 * v));
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const vi *sum = sums + 4 * r;
      uint8x16_t codes =
        vcombine_u8(ck_quick_codes(sum[0], sum[1], m[0], m[1], e), ck_quick_codes(sum[2], sum[3], m[2], m[3], e));
      uint8_t *c = (uint8_t *)e->c + (i + (size_t)r) * e->c_stride + ch;
      if (whole)
        vst1q_u8(c, codes);
      else
        v_store_bytes(c, n, codes);
    }
    return;
  }
  int32_t stored[ROWS * 16];
  CK_UNROLL for (int o = 0; o < 4 * rows; o++) {
    vi sum = sums[o];
    // The sum over a row is another in each channel here: b_zero · Σ a goes into the sums already.
    if (affine) sum = vmlsq_s32(sum, ck_four(e->b_zero + ch + 4 * o, (ptrdiff_t)n - 4 * o), row_sums[o]);
    vi_store(stored + 4 * o, sum);
  }
  const int32_t included[ROWS] = {0};
  ck_neon_store(e, stored, 16, i, (size_t)rows, ch, n, included);
}

#define ROW(rows, affine)                                                                               \
  static void rows_##rows##_##affine(const ck_depthwise_u8s8 *d, const ck_epilogue *e, int quick, size_t i) { \
    size_t ch = 0;                                                                                      \
    for (; ch + 16 <= d->channels; ch += 16) channels(rows, 1, affine, d, e, quick, i, ch, 16);         \
    if (ch < d->channels) channels(rows, 0, affine, d, e, quick, i, ch, d->channels - ch);              \
  }
ROW(1, 0) ROW(4, 0) ROW(1, 1)

static void depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  ck_epilogue e = ck_epilogue_depthwise(d);
  int quick = ck_is_quick(&e);
  for (size_t i = m0; i < m1;) {
    if (d->b_zero) {
      rows_1_1(d, &e, quick, i++);
    } else if (m1 - i < ROWS) {
      rows_1_0(d, &e, quick, i++);
    } else {
      rows_4_0(d, &e, quick, i);
      i += ROWS;
    }
  }
}

CK_NEON_END

void ck_neon_depthwise_u8s8(ck_table *table) { table->depthwise_u8s8 = depthwise_u8s8; }

#endif
