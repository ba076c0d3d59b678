// u8 × s8 depthwise convolution on vpdpbusd: four taps are interleaved byte by byte, so that a lane holds four taps of
// one channel. 64 channels at a time: unpacking leaves the channels permuted in the same way for inputs, weights and
// sums, and the pieces are put in order only at the end.
#include "epilogue.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)

enum { MOST_TAPS = 64 };

CK_AVX512_BEGIN

/// Four vectors of 64 channels to four of 16 channels × 4 bytes; vector q holds channels 16·lane + 4q + 0…3.
CK_INLINE void interleave(__m512i a, __m512i b, __m512i c, __m512i d, __m512i *to) {
  __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
  __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
  to[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
  to[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
  to[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
  to[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
}

/// Channels 0…15, 16…31, … from four vectors as interleave leaves them.
CK_INLINE void order(__m512i *x) {
  // Transposes the 4 × 4 matrix of 128-bit pieces.
  __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[0], x[1], 0xEE);
  __m512i c = _mm512_shuffle_i32x4(x[2], x[3], 0x44), d = _mm512_shuffle_i32x4(x[2], x[3], 0xEE);
  x[0] = _mm512_shuffle_i32x4(a, c, 0x88);
  x[1] = _mm512_shuffle_i32x4(a, c, 0xDD);
  x[2] = _mm512_shuffle_i32x4(b, d, 0x88);
  x[3] = _mm512_shuffle_i32x4(b, d, 0xDD);
}

CK_INLINE const uint8_t *pointer(const ck_depthwise_u8s8 *d, size_t i, size_t t) {
  int32_t offset = d->offsets[i * d->taps + t];
  return offset < 0 ? d->padding : d->a + offset;
}

/// Rows of channels ch..<ch+64 with `quads` · 4 ≥ taps; missing taps have weight zero and read tap 0 again.
CK_INLINE void channels(const int quads_known, size_t quads, const ck_depthwise_u8s8 *d, const ck_epilogue *e,
                        size_t m0, size_t m1, size_t ch, int quick) {
  size_t end = ck_min(ch + 64, d->channels), taps = d->taps;
  __mmask64 live = end - ch >= 64 ? ~0ull : (1ull << (end - ch)) - 1;
  if (quads_known) quads = (size_t)quads_known;
  const __m512i none = _mm512_setzero_si512(), ones = _mm512_set1_epi8(1);

  __m512i weights[MOST_TAPS], counts[MOST_TAPS];
  for (size_t q = 0; q < quads; q++) {
    __m512i w[4], one[4];
    for (size_t t = 0; t < 4; t++) {
      int real = 4 * q + t < taps;
      w[t] = real ? _mm512_maskz_loadu_epi8(live, d->weights + (4 * q + t) * d->channels + ch) : none;
      one[t] = real ? ones : none;
    }
    interleave(w[0], w[1], w[2], w[3], weights + 4 * q);
    if (e->b_zero) interleave(one[0], one[1], one[2], one[3], counts + 4 * q);
  }

  // The quick way packs codes from sums as interleaved: packing puts the channels in order, so that what belongs to a
  // channel is brought into the order of the sums, once.
  __m512i correction[4];
  __m512 multiplier[4];
  if (quick) {
    __m512i m[4];
    for (size_t p = 0; p < 4; p++) {
      size_t j = ch + 16 * p;
      correction[p] = m[p] = none;
      if (j >= end) continue;
      correction[p] = ck_quick_correction(e, j, ck_mask16(end - j), e->a_zero);
      m[p] = _mm512_castps_si512(_mm512_maskz_loadu_ps(ck_mask16(end - j), e->multiplier + j));
    }
    order(correction);
    order(m);
    for (size_t p = 0; p < 4; p++) multiplier[p] = _mm512_castsi512_ps(m[p]);
  }

  for (size_t i = m0; i < m1; i++) {
    __m512i sums[4];
    CK_UNROLL for (int p = 0; p < 4; p++) sums[p] = quick ? correction[p] : none;
#define TAP(t) _mm512_maskz_loadu_epi8(live, pointer(d, i, (t) < taps ? (t) : 0) + ch)
    for (size_t q = 0; q < quads; q++) {
      __m512i x[4];
      interleave(TAP(4 * q), TAP(4 * q + 1), TAP(4 * q + 2), TAP(4 * q + 3), x);
      CK_UNROLL for (int p = 0; p < 4; p++) sums[p] = _mm512_dpbusd_epi32(sums[p], x[p], weights[4 * q + (size_t)p]);
    }
    if (quick) {
      __m512i packed = ck_quick_codes(sums, multiplier, e);
      uint8_t *c = (uint8_t *)e->c + i * e->c_stride + ch;
      if (~live)
        _mm512_mask_storeu_epi8(c, live, packed);
      else
        _mm512_storeu_si512(c, packed);
      continue;
    }
    order(sums);
    if (e->b_zero) {
      // The sum over a row is another in each channel here: b_zero · Σ a goes into the sums already.
      __m512i row[4] = {none, none, none, none};
      for (size_t q = 0; q < quads; q++) {
        __m512i x[4];
        interleave(TAP(4 * q), TAP(4 * q + 1), TAP(4 * q + 2), TAP(4 * q + 3), x);
        CK_UNROLL for (int p = 0; p < 4; p++) row[p] = _mm512_dpbusd_epi32(row[p], x[p], counts[4 * q + (size_t)p]);
      }
      order(row);
      for (size_t p = 0; p < 4 && ch + 16 * p < end; p++) {
        __m512i zero = _mm512_maskz_loadu_epi32(ck_mask16(end - ch - 16 * p), e->b_zero + ch + 16 * p);
        sums[p] = _mm512_sub_epi32(sums[p], _mm512_mullo_epi32(zero, row[p]));
      }
    }
    const int32_t included = 0;
    for (size_t p = 0; p < 4 && ch + 16 * p < end; p++)
      ck_avx512_store(e, sums + p, 1, i, 1, ch + 16 * p, end, &included);
  }
#undef TAP
}

static void depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  if (ck_avx512_depthwise_strip(d, m0, m1)) return;
  if (d->taps > MOST_TAPS) {
    ck_scalar_depthwise_u8s8(d, m0, m1);
    return;
  }
  ck_epilogue e = ck_epilogue_depthwise(d);
  int quick = ck_quick_kind(&e, 0, d->channels) == CK_QUICK_U8;
  size_t quads = ck_divide_up(d->taps, 4);
  for (size_t ch = 0; ch < d->channels; ch += 64) {
    if (quads == 3)
      channels(3, quads, d, &e, m0, m1, ch, quick);
    else
      channels(0, quads, d, &e, m0, m1, ch, quick);
  }
}

CK_AVX512_END

void ck_avx512_depthwise_u8s8(ck_table *table) { table->depthwise_u8s8 = depthwise_u8s8; }

#endif
