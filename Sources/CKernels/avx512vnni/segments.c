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

/// Copies n bytes; may write up to 64 beyond, reads exactly n.
CK_INLINE void copy(unsigned char *to, const char *from, size_t n) {
  for (; n >= 64; n -= 64, to += 64, from += 64) _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  if (n) _mm512_storeu_si512(to, _mm512_maskz_loadu_epi8(~0ull >> (64 - n), from));
}

/// Short taps side by side. Taps that are neighbours in memory, as those of one kernel row are, go in one copy.
static void gather(ck_segments *s) {
  const ck_rows *rows = s->rows;
  int shift = s->shift;
  size_t bytes = rows->k << shift, taps = ck_min(rows->taps - s->next, (CK_COPIED / bytes) & ~(size_t)3);
  for (size_t r = 0; r < s->count; r++) {
    unsigned char *to = s->buffer + r * CK_BUFFER;
    if (!rows->offsets) {
      copy(to, (const char *)rows->a + (((s->row + r) * rows->stride) << shift), bytes);
      continue;
    }
    const int32_t *o = rows->offsets + (s->row + r) * rows->taps + s->next;
    for (size_t t = 0; t < taps;) {
      size_t from = t;
      int32_t start = o[t++], k = (int32_t)rows->k;
      if (start < 0) {
        copy(to, rows->padding, bytes);
        to += bytes;
        continue;
      }
      while (t < taps && o[t] == o[t - 1] + k) t++;
      copy(to, (const char *)rows->a + ((size_t)start << shift), (t - from) * bytes);
      to += (t - from) * bytes;
    }
  }
  s->pieces = 1;
  s->length = taps * rows->k;
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
