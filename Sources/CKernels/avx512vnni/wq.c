#include "wq.h"

#if defined(__x86_64__)

size_t ck_avx512_wq_packed_bytes(size_t n, size_t taps, size_t k, size_t bits, size_t group) {
  ck_wq_layout l = ck_wq_open(taps, k, bits, group, 1);
  return 64 + ck_divide_up(n, 16) * (l.panel_bytes + taps * l.groups * 64);
}

/// A dequantized panel, or some rows of codes with their groups filled up (at most 16 bytes and one sum per element).
size_t ck_avx512_wq_scratch_bytes(size_t taps, size_t k) { return taps * k * 64 + 1024; }

void ck_avx512_wq_pack(size_t n, size_t taps, size_t k, size_t bits, size_t group, const int8_t *codes,
                       const float *scales, const int32_t *zeros, void *packed) {
  ck_wq_layout l = ck_wq_open(taps, k, bits, group, zeros != NULL);
  size_t panels = ck_divide_up(n, 16);
  memset(packed, 0, 64 + panels * (l.panel_bytes + taps * l.groups * 64));
  *(unsigned char *)packed = zeros != NULL;
  int32_t *sums = (int32_t *)((char *)packed + 64 + panels * l.panel_bytes);
  int bias = bits == 8 ? 0 : 1 << (bits - 1);
  for (size_t j = 0; j < n; j++) {
    char *to = (char *)ck_wq_panel(&l, packed, j);
    size_t lane = j % 16;
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t g = 0; g < l.groups; g++) {
        size_t at = (j * taps + tap) * l.groups + g, length = ck_wq_length(&l, g);
        memcpy(to + 4 * lane, scales + at, 4);
        to += 64;
        int32_t sum = 0;
        if (zeros) {
          memcpy(to + 4 * lane, zeros + at, 4);
          to += 64;
          sum = -(int32_t)length * zeros[at];
        }
        const int8_t *from = codes + (j * taps + tap) * k + g * group;
        for (size_t x = 0; x < length; x++) {
          size_t in_unit = x % l.per_unit;
          unsigned char *byte = (unsigned char *)to + x / l.per_unit * 64 + 4 * lane + in_unit % 4;
          *byte |= (unsigned char)((unsigned)(from[x] + bias) << (in_unit / 4 * bits));
          sum += from[x];
        }
        to += ck_divide_up(length, l.per_unit) * 64;
        sums[((j / 16 * taps + tap) * l.groups + g) * 16 + lane] = sum;
      }
  }
}

void ck_avx512_gemm_wq(ck_table *table) {
  table->packed_bytes_wq = ck_avx512_wq_packed_bytes;
  table->pack_wq = ck_avx512_wq_pack;
  table->wq_scratch_bytes = ck_avx512_wq_scratch_bytes;
  table->gemm_wq = ck_avx512_gemm_wq_f32;
  table->gemm_u8wq = ck_avx512_gemm_wq_u8;
}

#endif
