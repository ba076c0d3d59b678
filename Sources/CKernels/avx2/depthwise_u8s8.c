// u8 × s8 depthwise convolution in 16 bits: two taps side by side make the pairs, eight channels at a time.
//
// Windows whose taps move on together, those of one row of windows inside the image, are done channels by channels with
// the weights in registers; others one by one.
#include "epilogue.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)

enum { MOST_TAPS = 64, MOST_WEIGHTS = 512, NEAR = 16 * 1024 };

CK_AVX2_BEGIN

typedef struct {
  const ck_depthwise_u8s8 *d;
  ck_epilogue e;
  ck_quick quick;
  size_t first, end;         // channels first..<end
  vi weights[MOST_WEIGHTS];  // [channels / 8][pairs of taps]: (even, odd) in each lane
} work;

static void lay_weights(work *w) {
  const ck_depthwise_u8s8 *d = w->d;
  vi *to = w->weights;
  for (size_t ch = w->first; ch < w->end; ch += 8) {
    const size_t n = w->end - ch;
    for (size_t t = 0; t < d->taps; t += 2) {
      const uint8_t *tap = (const uint8_t *)d->weights + t * d->channels + ch;
      __m128i even = ck_load_codes(tap, n >= 8, n), odd = _mm_setzero_si128();
      if (t + 1 < d->taps) odd = ck_load_codes(tap + d->channels, n >= 8, n);
      *to++ = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(even, odd));
    }
  }
}

/// b_zero · Σ a, another in each channel, of the window whose taps lie at from[t] + at.
CK_INLINE vi zero_sums(const work *w, const uint8_t *const *from, size_t at, size_t ch, int whole, size_t n) {
  vi sums = vi_set(0);
  for (size_t t = 0; t < w->d->taps; t++)
    sums = vi_add(sums, _mm256_cvtepu8_epi32(ck_load_codes(from[t] + at, whole, n)));
  return vi_mul(sums, vi_load_part(whole, w->e.b_zero + ch, n));
}

/// Channels ch…ch+7, or n of them, of windows row..<row+count; tap t of window x lies at from[t] + x · step. The taps may
/// be known.
CK_INLINE void eight(const int taps_known, const ck_quick kind, const work *w, const uint8_t *const *from, size_t step,
                     size_t row, size_t count, size_t ch, int whole, size_t n) {
  const ck_epilogue e = w->e;
  const size_t taps = taps_known ? (size_t)taps_known : w->d->taps, pairs = ck_divide_up(taps, 2);
  const vi *weights = w->weights + (ch - w->first) / 8 * pairs;
  const int in_registers = taps_known && pairs <= 8;
  vi correction = vi_set(0), held[8];
  vf scale = v_set(0), bias = v_set(0);
  for (size_t p = 0; in_registers && p < pairs; p++) held[p] = weights[p];
  if (kind != CK_NOT_QUICK) {
    correction = ck_quick_correction(&e, ch, whole, n, e.a_zero);
    if (kind != CK_QUICK_S32) scale = v_load_part(whole, e.multiplier + ch, n);
    if (kind == CK_QUICK_F32) scale = v_set(e.a_scale) * scale;
    if (kind == CK_QUICK_F32 && e.bias_f) bias = v_load_part(whole, e.bias_f + ch, n);
  }
  size_t at = ch;
  for (size_t x = 0; x < count; x++, at += step) {
    vi sum = correction;
    for (size_t p = 0; p < pairs; p++) {
      __m128i even = ck_load_codes(from[2 * p] + at, whole, n), odd = _mm_setzero_si128();
      if (2 * p + 1 < taps) odd = ck_load_codes(from[2 * p + 1] + at, whole, n);
      vi both = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(even, odd));
      sum = vi_add(sum, _mm256_madd_epi16(both, in_registers ? held[p] : weights[p]));
    }
    if (kind != CK_NOT_QUICK) {
      ck_quick_store(kind, &e, sum, scale, bias, row + x, ch, whole, n);
      continue;
    }
    if (e.b_zero) sum = vi_sub(sum, zero_sums(w, from, at, ch, whole, n));
    int32_t sums[8];
    vi_store(sums, sum);
    const int32_t included = 0;
    ck_avx2_store(&w->e, sums, 8, row + x, 1, ch, ck_min(8, n), &included);
  }
}

CK_INLINE void run(const int taps, const ck_quick kind, const work *w, const uint8_t *const *from, size_t step,
                   size_t row, size_t count) {
  size_t ch = w->first;
  for (; ch + 8 <= w->end; ch += 8) eight(taps, kind, w, from, step, row, count, ch, 1, 8);
  if (ch < w->end) eight(0, kind, w, from, step, row, count, ch, 0, w->end - ch);
}

typedef void (*runner)(const work *, const uint8_t *const *, size_t, size_t, size_t);
#define RUN(taps, kind)                                                                                             \
  static void run_##taps##_##kind(const work *w, const uint8_t *const *from, size_t step, size_t row, size_t count) { \
    run(taps, kind, w, from, step, row, count);                                                                     \
  }
#define RUNS(taps)                                                                                                  \
  RUN(taps, CK_NOT_QUICK) RUN(taps, CK_QUICK_U8) RUN(taps, CK_QUICK_SUM) RUN(taps, CK_QUICK_F32) RUN(taps, CK_QUICK_S32)
RUNS(9)
RUNS(25)
RUNS(0)
#define ALL(taps) \
  {run_##taps##_CK_NOT_QUICK, run_##taps##_CK_QUICK_U8, run_##taps##_CK_QUICK_SUM, run_##taps##_CK_QUICK_F32, \
   run_##taps##_CK_QUICK_S32}
/// [9, 25 or any number of taps][ck_quick]
static const runner runners[3][5] = {ALL(9), ALL(25), ALL(0)};

/// How many windows from i on, up to `most`, have taps that move on together.
static size_t together(const ck_window *window, size_t i, size_t most) {
  if (!window) return 1;
  size_t y = i / window->out_width, x = i % window->out_width;
  size_t top = y * window->step_y, left = x * window->step_x;
  int inside = top >= window->pad_top && top - window->pad_top + window->kernel_height <= window->height &&
               left >= window->pad_left && left - window->pad_left + window->kernel_width <= window->width;
  if (!inside) return 1;
  size_t room = window->width + window->pad_left - window->kernel_width - left;
  return ck_min(ck_min(most, window->out_width - x), room / window->step_x + 1);
}

static void depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  if (d->taps > MOST_TAPS) {
    ck_scalar_depthwise_u8s8(d, m0, m1);
    return;
  }
  work w;
  w.d = d;
  w.e = ck_epilogue_depthwise(d);
  w.quick = ck_quick_kind(&w.e, 0, d->channels);
  const runner runs = runners[d->taps == 9 ? 0 : d->taps == 25 ? 1 : 2][w.quick];
  const size_t most = 8 * (MOST_WEIGHTS / ck_divide_up(d->taps, 2));
  const size_t step = d->window ? d->window->step_x * d->channels : 0;
  const size_t windows = d->window ? NEAR / (d->window->kernel_height * step) + 4 : 1;
  for (w.first = 0; w.first < d->channels; w.first = w.end) {
    w.end = ck_min(d->channels, w.first + most);
    lay_weights(&w);
    for (size_t i = m0; i < m1;) {
      const uint8_t *from[MOST_TAPS];
      for (size_t t = 0; t < d->taps; t++) {
        int32_t offset = d->offsets[i * d->taps + t];
        from[t] = offset < 0 ? d->padding : d->a + offset;
      }
      size_t count = together(d->window, i, ck_min(windows, m1 - i));
      runs(&w, from, step, i, count);
      i += count;
    }
  }
}

CK_AVX2_END

void ck_avx2_depthwise_u8s8(ck_table *table) { table->depthwise_u8s8 = depthwise_u8s8; }

#endif
