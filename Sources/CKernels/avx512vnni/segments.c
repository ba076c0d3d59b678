// The segments of ../segments.h in vectors.
#include "avx512vnni.h"

#if defined(__x86_64__)

CK_AVX512_BEGIN

CK_INLINE __m512i addresses(__m256i offsets, unsigned shift, __m512i base, __m512i padding) {
  __mmask8 outside = _mm256_cmplt_epi32_mask(offsets, _mm256_setzero_si256());
  __m512i inside = _mm512_add_epi64(base, _mm512_slli_epi64(_mm512_cvtepi32_epi64(offsets), shift));
  return _mm512_mask_mov_epi64(inside, outside, padding);
}

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
    _mm512_storeu_si512(to, addresses(_mm512_castsi512_si256(o), shift, base, padding));
    if (taps > 8) _mm512_storeu_si512(to + 8, addresses(_mm512_extracti64x4_epi64(o, 1), shift, base, padding));
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

/// Which of up to sixteen taps lie side by side in memory.
typedef struct {
  unsigned begins, outside;  // a bit for each tap that starts a run, or is padding
  size_t count, longest;
  size_t starts[16], lengths[16];  // lengths in bytes
  __mmask64 masks[16];             // of the bytes of runs no longer than a register
} pattern;

CK_INLINE void find_runs(pattern *p, const int32_t *o, size_t count, int32_t k, size_t bytes) {
  __mmask16 live = ck_mask16(count), pairs = (__mmask16)(live >> 1);
  __m512i here = _mm512_maskz_loadu_epi32(live, o), next = _mm512_maskz_loadu_epi32(pairs, o + 1);
  unsigned outside = _cvtmask16_u32(_mm512_cmplt_epi32_mask(here, _mm512_setzero_si512()));
  unsigned same = _cvtmask16_u32(_mm512_cmpeq_epi32_mask(_mm512_add_epi32(here, _mm512_set1_epi32(k)), next));
  unsigned begins = ~((same & ~outside & pairs) << 1) & live;
  if (begins == p->begins && outside == p->outside) return;
  p->begins = begins;
  p->outside = outside;
  p->count = p->longest = 0;
  for (; begins; p->count++) {
    size_t start = (size_t)__builtin_ctz(begins);
    begins &= begins - 1;
    size_t length = ((begins ? (size_t)__builtin_ctz(begins) : count) - start) * bytes;
    p->starts[p->count] = start;
    p->lengths[p->count] = length;
    p->masks[p->count] = length >= 64 ? ~0ull : (1ull << length) - 1;
    if (length > p->longest) p->longest = length;
  }
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
  for (size_t first = 0; first < taps; first += 16) {
    size_t count = ck_min(16, taps - first);
    pattern p;
    p.begins = 0;
    for (size_t r = 0; r < s->count; r++) {
      const int32_t *o = rows->offsets + (s->row + r) * rows->taps + s->next + first;
      find_runs(&p, o, count, (int32_t)rows->k, bytes);
      unsigned char *to = s->buffer + r * CK_BUFFER + first * bytes;
      const char *padding = rows->padding;
#define COPY_RUNS(type, load, store)                                              \
  for (size_t run = 0; run < p.count; to += p.lengths[run++]) {                   \
    int32_t offset = o[p.starts[run]];                                            \
    const char *from = offset < 0 ? padding : a + ((size_t)offset << shift);      \
    store((type *)to, load);                                                      \
  }
      if (p.longest <= 16)
        COPY_RUNS(__m128i, _mm_maskz_loadu_epi8((__mmask16)p.masks[run], from), _mm_storeu_si128)
      else if (p.longest <= 32)
        COPY_RUNS(__m256i, _mm256_maskz_loadu_epi8((__mmask32)p.masks[run], from), _mm256_storeu_si256)
      else if (p.longest <= 64)
        COPY_RUNS(void, _mm512_maskz_loadu_epi8(p.masks[run], from), _mm512_storeu_si512)
      else
        for (size_t run = 0; run < p.count; to += p.lengths[run++]) {
          int32_t offset = o[p.starts[run]];
          copy(to, offset < 0 ? padding : a + ((size_t)offset << shift), p.lengths[run]);
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
