// The segments of ../segments.h in vectors.
#include "avx512vnni.h"

#if defined(__x86_64__)

CK_AVX512_BEGIN

static void point(ck_segments *s) {
  const ck_rows *rows = s->rows;
  unsigned shift = (unsigned)s->shift;
  s->length = rows->k;
  if (!rows->offsets) {
    const char *a = (const char *)rows->a + ((s->row * rows->stride) << shift);
    for (size_t r = 0; r < s->count; r++, a += rows->stride << shift) s->table[r * CK_TAPS] = a;
    s->pieces = 1;
    s->next = 1;
    return;
  }
  size_t taps = ck_min(rows->taps - s->next, CK_TAPS);
  __m512i base = _mm512_set1_epi64((long long)rows->a), padding = _mm512_set1_epi64((long long)rows->padding);
  __mmask16 live = ck_mask16(taps);
  const int32_t *offsets = rows->offsets + s->row * rows->taps + s->next;
  const void **to = s->table;
  for (size_t r = 0; r < s->count; r++, offsets += rows->taps, to += CK_TAPS) {
    __m512i o = _mm512_maskz_loadu_epi32(live, offsets);
    __mmask16 outside = _mm512_cmplt_epi32_mask(o, _mm512_setzero_si512());
    __m512i low = _mm512_slli_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(o)), shift);
    _mm512_storeu_si512(to, _mm512_mask_mov_epi64(_mm512_add_epi64(base, low), (__mmask8)outside, padding));
    if (taps <= 8) continue;
    __m512i high = _mm512_slli_epi64(_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(o, 1)), shift);
    _mm512_storeu_si512(
      to + 8, _mm512_mask_mov_epi64(_mm512_add_epi64(base, high), (__mmask8)(outside >> 8), padding));
  }
  s->pieces = taps;
  s->next += taps;
}

/// Copies n bytes; may write up to 64 beyond, reads exactly n. Short pieces in short registers: stores that overlap
/// and cross lines are what gathering costs.
CK_INLINE void copy(unsigned char *to, const char *from, size_t n) {
  for (; n > 64; n -= 64, to += 64, from += 64) _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  __mmask64 live = ~0ull >> (64 - n);
  if (n <= 16)
    _mm_storeu_si128((__m128i *)to, _mm_maskz_loadu_epi8((__mmask16)live, from));
  else if (n <= 32)
    _mm256_storeu_si256((__m256i *)to, _mm256_maskz_loadu_epi8((__mmask32)live, from));
  else
    _mm512_storeu_si512(to, _mm512_maskz_loadu_epi8(live, from));
}

/// Short taps side by side. Taps that are neighbours in memory, as those of one kernel row are, go in one copy; which
/// ones are is found for sixteen at a time, and most rows are like the row before.
static void gather(ck_segments *s) {
  const ck_rows *rows = s->rows;
  int shift = s->shift;
  size_t bytes = rows->k << shift, taps = ck_min(rows->taps - s->next, (CK_GATHERED / bytes) & ~(size_t)3);
  s->pieces = 1;
  s->length = taps * rows->k;
  const char *a = rows->a;
  if (!rows->offsets) {
    for (size_t r = 0; r < s->count; r++)
      copy(s->buffer + r * CK_BUFFER, a + (((s->row + r) * rows->stride) << shift), bytes);
    s->next += taps;
    return;
  }
  const __m512i step = _mm512_set1_epi32((int)rows->k);
  for (size_t first = 0; first < taps; first += 16) {
    size_t count = ck_min(16, taps - first), runs = 0;
    size_t starts[16], lengths[16];
    unsigned before_starts = 0, before_outside = 0;
    for (size_t r = 0; r < s->count; r++) {
      const int32_t *o = rows->offsets + (s->row + r) * rows->taps + s->next + first;
      __mmask16 live = ck_mask16(count);
      __m512i here = _mm512_maskz_loadu_epi32(live, o);
      __m512i next = _mm512_maskz_loadu_epi32(live >> 1, o + 1);
      unsigned outside = _mm512_mask_cmplt_epi32_mask(live, here, _mm512_setzero_si512());
      unsigned follows = _mm512_mask_cmpeq_epi32_mask(live >> 1, _mm512_add_epi32(here, step), next) & ~outside;
      unsigned begins = ~(follows << 1) & live;
      if (begins != before_starts || outside != before_outside || !r) {
        runs = 0;
        for (unsigned left = begins; left; left &= left - 1, runs++) starts[runs] = (size_t)__builtin_ctz(left);
        for (size_t run = 0; run < runs; run++)
          lengths[run] = ((run + 1 < runs ? starts[run + 1] : count) - starts[run]) * bytes;
        before_starts = begins;
        before_outside = outside;
      }
      unsigned char *to = s->buffer + r * CK_BUFFER + first * bytes;
      for (size_t run = 0; run < runs; run++) {
        int32_t offset = o[starts[run]];
        copy(to, offset < 0 ? rows->padding : a + ((size_t)offset << shift), lengths[run]);
        to += lengths[run];
      }
    }
  }
  s->next += taps;
}

void ck_avx512_advance(ck_segments *s) {
  if (s->kind == CK_POINT)
    point(s);
  else if (s->kind == CK_GATHER)
    gather(s);
  else
    ck_segments_advance(s);
}

CK_AVX512_END

#endif
