// Transposes of 8 × 8 words and 16 × 16 bytes in registers, and of three planes into pixels; the edges element by element.
#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN

static void words_8x8(const uint32_t *x, size_t x_stride, uint32_t *y, size_t y_stride) {
  __m256 r[8], t[8];
  for (int i = 0; i < 8; i++) r[i] = v_load((const float *)(x + (size_t)i * x_stride));
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    r[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xEE);
    r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xEE);
  }
  for (int i = 0; i < 4; i++) {
    v_store((float *)(y + (size_t)i * y_stride), _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    v_store((float *)(y + (size_t)(i + 4) * y_stride), _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

static void bytes_16x16(const uint8_t *x, size_t x_stride, uint8_t *y, size_t y_stride) {
  __m128i r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = _mm_loadu_si128((const __m128i *)(x + (size_t)i * x_stride));
  // Four rounds of interleaving row i with row i + 8 put the bytes in order.
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 8; i++) {
      t[2 * i] = _mm_unpacklo_epi8(r[i], r[i + 8]);
      t[2 * i + 1] = _mm_unpackhi_epi8(r[i], r[i + 8]);
    }
    memcpy(r, t, sizeof r);
  }
  for (int i = 0; i < 16; i++) _mm_storeu_si128((__m128i *)(y + (size_t)i * y_stride), r[i]);
}

/// Three planes of `count` into pixels of three; returns how many pixels are done.
static size_t word_pixels(const uint32_t *x, size_t plane, size_t count, uint32_t *y) {
  __m256i index[3];
  for (int o = 0; o < 3; o++) {
    int32_t from[8];
    for (int k = 0; k < 8; k++) from[k] = (8 * o + k) / 3;
    index[o] = _mm256_loadu_si256((const __m256i *)from);
  }
  size_t i = 0;
  for (; i + 8 <= count; i += 8, y += 24) {
    __m256 a = v_load((const float *)(x + i)), b = v_load((const float *)(x + plane + i));
    __m256 c = v_load((const float *)(x + 2 * plane + i));
#define PIXELS(o, of_b, of_c)                                                                              \
  v_store((float *)(y + 8 * o),                                                                            \
          _mm256_blend_ps(_mm256_blend_ps(_mm256_permutevar8x32_ps(a, index[o]),                           \
                                          _mm256_permutevar8x32_ps(b, index[o]), of_b),                    \
                          _mm256_permutevar8x32_ps(c, index[o]), of_c))
    PIXELS(0, 0x92, 0x24);
    PIXELS(1, 0x24, 0x49);
    PIXELS(2, 0x49, 0x92);
#undef PIXELS
  }
  return i;
}

static size_t byte_pixels(const uint8_t *x, size_t plane, size_t count, uint8_t *y) {
  __m128i index[3][3];  // of each vector of pixels, in each plane; -1 gives zero
  for (int o = 0; o < 3; o++)
    for (int p = 0; p < 3; p++) {
      int8_t from[16];
      for (int k = 0; k < 16; k++) from[k] = (int8_t)((16 * o + k) % 3 == p ? (16 * o + k) / 3 : -1);
      index[o][p] = _mm_loadu_si128((const __m128i *)from);
    }
  size_t i = 0;
  for (; i + 16 <= count; i += 16, y += 48) {
    __m128i planes[3];
    for (int p = 0; p < 3; p++) planes[p] = _mm_loadu_si128((const __m128i *)(x + (size_t)p * plane + i));
    for (int o = 0; o < 3; o++) {
      __m128i pixels = _mm_or_si128(_mm_shuffle_epi8(planes[0], index[o][0]), _mm_shuffle_epi8(planes[1], index[o][1]));
      _mm_storeu_si128((__m128i *)(y + 16 * o), _mm_or_si128(pixels, _mm_shuffle_epi8(planes[2], index[o][2])));
    }
  }
  return i;
}

#include "../vector/movement.h"
TRANSPOSE(transpose_32, uint32_t, 8, words_8x8, word_pixels)
TRANSPOSE(transpose_8, uint8_t, 16, bytes_16x16, byte_pixels)

CK_INLINE uint64_t load_word(const void *p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return word;
}
CK_INLINE void store_word(void *p, uint64_t word) { memcpy(p, &word, 8); }

/// Short rows without a call for each: whole vectors, then one that ends with the row.
static void copy_rows(const void *x, size_t rows, size_t bytes, size_t x_stride, void *y, size_t y_stride) {
  const char *from = x;
  char *to = y;
#define COPY(type, load, store)                                                                     \
  for (size_t r = 0; r < rows; r++, from += x_stride, to += y_stride) {                             \
    for (size_t i = 0; i + sizeof(type) < bytes; i += sizeof(type))                                 \
      store((type *)(to + i), load((const type *)(from + i)));                                      \
    store((type *)(to + bytes - sizeof(type)), load((const type *)(from + bytes - sizeof(type))));  \
  }
  if (bytes >= 32 && bytes <= 2048) {
    COPY(__m256i, _mm256_loadu_si256, _mm256_storeu_si256)
  } else if (bytes >= 16 && bytes <= 32) {
    COPY(__m128i, _mm_loadu_si128, _mm_storeu_si128)
  } else if (bytes >= 8 && bytes <= 16) {
    COPY(uint64_t, load_word, store_word)
  } else {
    for (size_t r = 0; r < rows; r++, from += x_stride, to += y_stride) memcpy(to, from, bytes);
  }
#undef COPY
}

CK_AVX2_END

void ck_avx2_movement(ck_table *table) {
  table->transpose_32 = transpose_32;
  table->transpose_8 = transpose_8;
  table->copy_rows = copy_rows;
}
#endif
