// How weights with group scales are packed.
//
// A header of 64 bytes; panels of 16 columns; then, for integer rows, [panel][taps · groups][16] of
// Σ code − length · zero. A panel holds for each tap and group: 16 scales, 16 zeros (if there are any), and units of
// 64 bytes. A unit is 16 columns × 32 bits: four bytes of four elements along k, and with narrower codes the next four
// above them in the same bytes. Narrow codes are stored plus 2^(bits − 1). The last unit of a group is filled up.
#ifndef CK_AVX512_WQ_H
#define CK_AVX512_WQ_H

#include "avx512vnni.h"

#if defined(__x86_64__)

typedef struct {
  size_t bits, k, group;
  size_t groups;      // of a tap
  size_t per_unit;    // elements along k in a unit
  int zeros;          // whether there are zero points
  size_t panel_bytes;
  size_t span;        // elements of a row when every group is filled up to whole units
} ck_wq_layout;

CK_INLINE size_t ck_wq_length(const ck_wq_layout *l, size_t g) { return ck_min(l->group, l->k - g * l->group); }

CK_INLINE ck_wq_layout ck_wq_open(size_t taps, size_t k, size_t bits, size_t group, int zeros) {
  ck_wq_layout l = {bits, k, group, ck_divide_up(k, group), 32 / bits, zeros, 0, 0};
  size_t units = 0;
  if (l.groups)
    units = (l.groups - 1) * ck_divide_up(group, l.per_unit) +
            ck_divide_up(ck_wq_length(&l, l.groups - 1), l.per_unit);
  l.panel_bytes = taps * 64 * (l.groups * (zeros ? 2 : 1) + units);
  l.span = taps * units * l.per_unit;
  return l;
}

CK_INLINE int ck_wq_has_zeros(const void *packed) { return *(const unsigned char *)packed; }

CK_INLINE const char *ck_wq_panel(const ck_wq_layout *l, const void *packed, size_t column) {
  return (const char *)packed + 64 + column / 16 * l->panel_bytes;
}

size_t ck_avx512_wq_packed_bytes(size_t n, size_t taps, size_t k, size_t bits, size_t group);
void ck_avx512_wq_pack(size_t n, size_t taps, size_t k, size_t bits, size_t group, const int8_t *codes,
                       const float *scales, const int32_t *zeros, void *packed);
size_t ck_avx512_wq_scratch_bytes(size_t taps, size_t k);
void ck_avx512_gemm_wq_f32(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1);
void ck_avx512_gemm_wq_u8(const ck_gemm_u8wq *g, size_t m0, size_t m1, size_t n0, size_t n1);

#endif
#endif
