// u8 × s8 depthwise convolution of windows without gaps, row by row of the image.
//
// A strip is the part of the image that some windows of one row of windows see, interleaved so that a lane holds four
// of a window's rows at one column and channel (several quads of rows where the window is higher). From there a window
// of three rows is three vpdpbusd on neighbouring columns: a column is interleaved once for all windows that see it.
// Lanes are channels of a pixel; channels that do not fill vectors run on over the pixels of the row where they may.
#include "epilogue.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)

enum { LANES = 4096, SLACK = 256, MOST_WEIGHTS = 256 };

CK_AVX512_BEGIN

typedef struct {
  const ck_depthwise_u8s8 *d;
  const ck_window *window;
  ck_epilogue e;
  ck_quick quick;
  size_t quads;      // of rows of a window
  size_t first, count;  // channels
  int runs_on;       // whether lanes run on over pixels
  size_t lanes;      // of a column in the strip
  size_t patterns;   // vectors until channels repeat
  size_t columns;    // of a quad of the strip
  __m512i correction[4], weights[MOST_WEIGHTS];  // weights: [pattern][quad][column of the window]
  __m512 multiplier[4], bias[4];
  __m512i strip[(LANES + SLACK) / 16];
} work;

/// Four rows of 64 bytes as 64 lanes of four bytes.
CK_INLINE void interleave(const __m512i *rows, __m512i *to) {
  const __m512i index = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i r[4];
  CK_UNROLL for (int i = 0; i < 4; i++) r[i] = _mm512_permutexvar_epi32(index, rows[i]);
  __m512i low = _mm512_unpacklo_epi8(r[0], r[1]), high = _mm512_unpackhi_epi8(r[0], r[1]);
  __m512i low2 = _mm512_unpacklo_epi8(r[2], r[3]), high2 = _mm512_unpackhi_epi8(r[2], r[3]);
  to[0] = _mm512_unpacklo_epi16(low, low2);
  to[1] = _mm512_unpackhi_epi16(low, low2);
  to[2] = _mm512_unpacklo_epi16(high, high2);
  to[3] = _mm512_unpackhi_epi16(high, high2);
}

CK_INLINE __mmask64 mask64(size_t n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

/// `size` bytes for each of the channels, repeated until the patterns are full.
static void repeat(const work *w, const void *from, size_t size, void *to) {
  size_t total = w->patterns * 16 * size, one = w->count * size;
  if (!w->runs_on) {
    memset(to, 0, total);
    memcpy(to, from, one);
    return;
  }
  for (size_t at = 0; at < total; at += one) memcpy((char *)to + at, from, ck_min(one, total - at));
}

/// What belongs to channels, vector by vector.
static void prepare(work *w) {
  const ck_depthwise_u8s8 *d = w->d;
  const ck_epilogue *e = &w->e;
  const size_t height = w->window->kernel_height, width = w->window->kernel_width;
  uint8_t rows[4][64];
  for (size_t q = 0; q < w->quads; q++)
    for (size_t x = 0; x < width; x++) {
      for (size_t r = 0; r < 4; r++) {
        size_t y = 4 * q + r;
        if (y < height)
          repeat(w, d->weights + (y * width + x) * d->channels + w->first, 1, rows[r]);
        else
          memset(rows[r], 0, sizeof rows[r]);
      }
      __m512i in[4], out[4];
      for (size_t r = 0; r < 4; r++) in[r] = _mm512_loadu_si512(rows[r]);
      interleave(in, out);
      for (size_t p = 0; p < w->patterns; p++) w->weights[(p * w->quads + q) * width + x] = out[p];
    }
  int32_t corrections[64];
  float scales[64];
  for (size_t j = 0; j < w->count; j += 16) {
    __mmask16 live = ck_mask16(w->count - j);
    __m512i c = ck_quick_correction(e, w->first + j, live, e->a_zero);
    __m512 m = _mm512_maskz_loadu_ps(live, e->multiplier + w->first + j);
    if (w->quick == CK_QUICK_F32) m = _mm512_mul_ps(_mm512_set1_ps(e->a_scale), m);
    _mm512_mask_storeu_epi32(corrections + j, live, c);
    _mm512_mask_storeu_ps(scales + j, live, m);
  }
  repeat(w, corrections, 4, w->correction);
  repeat(w, scales, 4, w->multiplier);
  if (e->bias_f) repeat(w, e->bias_f + w->first, 4, w->bias);
}

/// Lays the strip of windows x0..<x1 of window row y.
static void lay(work *w, size_t y, size_t x0, size_t x1) {
  const ck_window *window = w->window;
  const size_t channels = w->d->channels, row_bytes = window->width * channels;
  const ptrdiff_t left = (ptrdiff_t)(x0 * window->step_x) - (ptrdiff_t)window->pad_left;
  const ptrdiff_t columns = (ptrdiff_t)((x1 - 1 - x0) * window->step_x + window->kernel_width);
  // Columns of the strip inside the image; there is one, or the whole strip is padding.
  ptrdiff_t begin = left < 0 ? -left : 0, end = (ptrdiff_t)window->width - left;
  if (end > columns) end = columns;
  if (end < begin) end = begin = 0;
  const __m512i padding = _mm512_set1_epi8((char)w->d->a_zero);
  w->columns = (size_t)columns;
  for (size_t q = 0; q < w->quads; q++) {
    const uint8_t *rows[4];
    int inside[4];
    for (size_t r = 0; r < 4; r++) {
      ptrdiff_t row = (ptrdiff_t)(y * window->step_y + 4 * q + r) - (ptrdiff_t)window->pad_top;
      inside[r] = 4 * q + r < window->kernel_height && row >= 0 && row < (ptrdiff_t)window->height;
      rows[r] = inside[r] ? w->d->a + (size_t)row * row_bytes + w->first : NULL;
    }
    int32_t *to = (int32_t *)w->strip + q * (size_t)columns * w->lanes;
    size_t before = (size_t)begin * w->lanes, after = (size_t)(columns - end) * w->lanes;
    for (size_t i = 0; i < before; i += 16) _mm512_storeu_si512(to + i, padding);
    if (w->runs_on) {
      size_t bytes = (size_t)(end - begin) * channels;
      const size_t skip = (size_t)(left + begin) * channels;
      for (size_t i = 0; i < bytes; i += 64) {
        __mmask64 live = mask64(bytes - i);
        __m512i in[4], out[4];
        CK_UNROLL for (int r = 0; r < 4; r++)
          in[r] = inside[r] ? _mm512_maskz_loadu_epi8(live, rows[r] + skip + i) : padding;
        interleave(in, out);
        CK_UNROLL for (int k = 0; k < 4; k++) _mm512_storeu_si512(to + before + i + 16 * (size_t)k, out[k]);
      }
    } else {
      const __mmask64 live = mask64(w->count);
      int32_t *column = to + before;
      for (ptrdiff_t x = begin; x < end; x++, column += w->lanes) {
        const size_t skip = (size_t)(left + x) * channels;
        __m512i in[4], out[4];
        CK_UNROLL for (int r = 0; r < 4; r++)
          in[r] = inside[r] ? _mm512_maskz_loadu_epi8(live, rows[r] + skip) : padding;
        interleave(in, out);
        CK_UNROLL for (int k = 0; k < 4; k++) _mm512_storeu_si512(column + 16 * k, out[k]);
      }
    }
    int32_t *rest = to + (size_t)end * w->lanes;
    for (size_t i = 0; i < after; i += 16) _mm512_storeu_si512(rest + i, padding);
  }
}

/// Where vectors of the windows of one row of windows lie. Vectors go in fours.
typedef struct {
  size_t total;                      // vectors
  size_t strip_step, output_step;    // from one four to the next
  size_t strip[4], output[4];        // lanes and elements of each of the four from the first
  size_t pattern[4], live[4];        // channels, and how many of them there are
} fours;

/// Where the same holds for every four: all but the last of a row whose lanes run on.
CK_INLINE fours arrange(const work *w, size_t windows) {
  const size_t step = w->window->step_x * w->lanes, each = w->patterns;
  fours f;
  if (w->runs_on)
    f = (fours){ck_divide_up(windows * w->count, 16), 64, 64, {0}, {0}, {0}, {0}};
  else
    f = (fours){windows * each, 4 / each * step, 4 / each * w->e.c_stride, {0}, {0}, {0}, {0}};
  for (size_t k = 0; k < 4; k++) {
    size_t pixel = w->runs_on ? 0 : k / each, vector = w->runs_on ? k : k % each;
    f.strip[k] = pixel * step + 16 * vector;
    f.output[k] = pixel * w->e.c_stride + 16 * vector;
    f.pattern[k] = k % each;
    f.live[k] = w->runs_on ? 16 : ck_min(16, w->count - ck_min(w->count, 16 * vector));
  }
  return f;
}

CK_INLINE void store(const work *w, const __m512i *acc, const __m512 *multipliers, const __m512 *biases, size_t at,
                     const size_t *output, const size_t *live, int contiguous) {
  const ck_epilogue *e = &w->e;
  if (w->quick == CK_QUICK_F32) {
    CK_UNROLL for (int k = 0; k < 4; k++) {
      __m512 y = ck_quick_clamp(ck_quick_floats(acc[k], multipliers[k], biases[k], e), e);
      _mm512_mask_storeu_ps((float *)e->c + at + output[k], ck_mask16(live[k]), y);
    }
    return;
  }
  __m512i codes = ck_quick_order(ck_quick_codes(acc, multipliers, e));
  uint8_t *c = (uint8_t *)e->c + at;
  if (contiguous) {
    _mm512_storeu_si512(c, codes);
    return;
  }
  __m128i pieces[4] = {_mm512_castsi512_si128(codes), _mm512_extracti32x4_epi32(codes, 1),
                       _mm512_extracti32x4_epi32(codes, 2), _mm512_extracti32x4_epi32(codes, 3)};
  CK_UNROLL for (int k = 0; k < 4; k++) _mm_mask_storeu_epi8(c + output[k], ck_mask16(live[k]), pieces[k]);
}

/// Windows of one row, the first output at element `at`; quads and width of a window may be known.
CK_INLINE void sum(const int quads_known, const int width_known, const work *w, size_t at, size_t windows) {
  const size_t quads = quads_known ? (size_t)quads_known : w->quads;
  const size_t width = width_known ? (size_t)width_known : w->window->kernel_width;
  const size_t lanes = w->lanes, quad_lanes = w->columns * lanes, taps = quads * width;
  const int32_t *strip = (const int32_t *)w->strip;
  const fours f = arrange(w, windows);
  const int contiguous = f.output[3] == 48 && f.live[3] == 16;
  const int held = quads_known && quads * width <= 3;  // in registers
  __m512i weights[12], corrections[4];
  __m512 multipliers[4], biases[4];
  CK_UNROLL for (int k = 0; k < 4; k++) {
    for (size_t t = 0; held && t < taps; t++) weights[taps * (size_t)k + t] = w->weights[taps * f.pattern[k] + t];
    corrections[k] = w->correction[f.pattern[k]];
    multipliers[k] = w->multiplier[f.pattern[k]];
    biases[k] = w->bias[f.pattern[k]];
  }
  for (size_t n = 0; n < f.total; n += 4, strip += f.strip_step, at += f.output_step) {
    __m512i acc[4];
    CK_UNROLL for (int k = 0; k < 4; k++) acc[k] = corrections[k];
    for (size_t q = 0; q < quads; q++)
      for (size_t x = 0; x < width; x++) {
        const size_t t = q * width + x;
        CK_UNROLL for (int k = 0; k < 4; k++) {
          __m512i four = _mm512_loadu_si512(strip + f.strip[k] + q * quad_lanes + x * lanes);
          acc[k] = _mm512_dpbusd_epi32(acc[k], four, held ? weights[taps * (size_t)k + t] : w->weights[taps * f.pattern[k] + t]);
        }
      }
    if (f.total - n >= 4 && !w->runs_on) {
      store(w, acc, multipliers, biases, at, f.output, f.live, contiguous);
      continue;
    }
    size_t live[4];
    for (size_t k = 0; k < 4; k++) {
      size_t left = w->runs_on ? windows * w->count - ck_min(windows * w->count, 16 * (n + k)) : f.live[k];
      live[k] = n + k < f.total ? ck_min(16, left) : 0;
    }
    store(w, acc, multipliers, biases, at, f.output, live, live[3] == 16 && contiguous);
  }
}

static void sum_3x3(const work *w, size_t at, size_t windows) { sum(1, 3, w, at, windows); }
static void sum_5x5(const work *w, size_t at, size_t windows) { sum(2, 5, w, at, windows); }
static void sum_any(const work *w, size_t at, size_t windows) { sum(0, 0, w, at, windows); }

int ck_avx512_depthwise_strip(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  const ck_window *window = d->window;
  if (!window || window->step_x > window->kernel_width) return 0;
  work w;
  w.d = d;
  w.window = window;
  w.e = ck_epilogue_depthwise(d);
  w.quick = ck_quick_kind(&w.e, 0, d->channels);
  if (w.quick != CK_QUICK_U8 && w.quick != CK_QUICK_F32) return 0;
  w.quads = ck_divide_up(window->kernel_height, 4);
  w.runs_on = 16 % d->channels == 0 && d->channels < 16 && window->step_x == 1 && d->c_stride == d->channels;
  if (4 * w.quads * window->kernel_width > MOST_WEIGHTS) return 0;
  if (64 * w.quads * (window->step_x + window->kernel_width) > LANES) return 0;
  void (*sums)(const work *, size_t, size_t) = sum_any;
  if (w.quads == 1 && window->kernel_width == 3) sums = sum_3x3;
  if (w.quads == 2 && window->kernel_width == 5) sums = sum_5x5;

  for (w.first = 0; w.first < d->channels; w.first += w.count) {
    w.count = ck_min(64, d->channels - w.first);
    w.lanes = w.runs_on ? w.count : w.count > 32 ? 64 : w.count > 16 ? 32 : 16;
    w.patterns = w.runs_on ? 1 : w.lanes / 16;
    prepare(&w);
    size_t most = (LANES / (w.quads * w.lanes) - window->kernel_width) / window->step_x + 1;
    for (size_t i = m0; i < m1;) {
      size_t y = i / window->out_width, x0 = i % window->out_width;
      size_t left = ck_min(window->out_width - x0, m1 - i);
      size_t x1 = x0 + ck_divide_up(left, ck_divide_up(left, most));
      lay(&w, y, x0, x1);
      sums(&w, i * d->c_stride + w.first, x1 - x0);
      i += x1 - x0;
    }
  }
  return 1;
}

CK_AVX512_END

#endif
